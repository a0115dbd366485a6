/**
 * Machine code that runs before Node's own entry point, because two things cannot be undone later.
 *
 * Node reads variables such as NODE_REPL_EXTERNAL_MODULE, NODE_V8_COVERAGE and UV_THREADPOOL_SIZE before any script
 * runs, and some of them write files or end the program. These variables are meant for other programs, so the code
 * removes every variable that begins with NODE_, UV_ or OPENSSL_ from the environment. NODE_EXTRA_CA_CERTS becomes
 * IBSR_EXTRA_CA_CERTS, and `boot.cjs` restores it: Node would read the certificates at every start, and print a warning
 * if it cannot.
 *
 * Node resets every signal that was ignored when it started, for example because of nohup. The code therefore ignores
 * the real-time signal 40 + N if signal N is ignored, for SIGHUP, SIGINT and SIGTERM. `src/process/Signals.ts` reads
 * it.
 *
 * Sources: the process stack in the System V ABI, rt_sigaction(2), struct sigaction in the kernel's asm/signal.h. Both
 * listings are those of the GNU assembler; a jump to Node's entry point follows.
 */
import type { Architecture } from "./Product.ts"

const listings: Record<Architecture, string> = {
  x86_64: `
start:
  52                   push rdx
  488b442408           mov rax,[rsp+0x8]
  488d74c418           lea rsi,[rsp+rax*8+0x18] ; the environment follows the arguments
  4889f7               mov rdi,rsi
next:
  488b06               mov rax,[rsi]
  4883c608             add rsi,0x8
  4885c0               test rax,rax
  745d                 je clear
  488b08               mov rcx,[rax]
  49b84f50454e53534c5f movabs r8,0x5f4c53534e45504f ; OPENSSL_
  4c39c1               cmp rcx,r8
  74e2                 je next
  89ca                 mov edx,ecx
  81e2ffffff00         and edx,0xffffff
  81fa55565f00         cmp edx,0x5f5655 ; UV_
  74d2                 je next
  49b8ffffffffff000000 movabs r8,0xffffffffff
  4c21c1               and rcx,r8
  49b84e4f44455f000000 movabs r8,0x5f45444f4e ; NODE_
  4c39c1               cmp rcx,r8
  7516                 jne keep
  49b845585452415f4341 movabs r8,0x41435f4152545845 ; EXTRA_CA
  4c394005             cmp [rax+0x5],r8
  75a6                 jne next
  c70049425352         mov [rax],0x52534249 ; IBSR
keep:
  488907               mov [rdi],rax
  4883c708             add rdi,0x8
  eb97                 jmp next
clear:
  4839f7               cmp rdi,rsi
  7309                 jae signals
  488907               mov [rdi],rax
  4883c708             add rdi,0x8
  ebf2                 jmp clear
signals:
  bb01020f00           mov ebx,0xf0201 ; signals 15, 2, 1
  4883ec20             sub rsp,0x20
again:
  0fb6fb               movzx edi,bl
  31f6                 xor esi,esi
  4889e2               mov rdx,rsp
  41ba08000000         mov r10d,0x8
  b80d000000           mov eax,0xd
  0f05                 syscall
  31c0                 xor eax,eax
  4889442408           mov [rsp+0x8],rax
  4889442410           mov [rsp+0x10],rax
  4889442418           mov [rsp+0x18],rax
  48833c2401           cmp [rsp],0x1
  0f94c0               sete al
  48890424             mov [rsp],rax
  0fb6fb               movzx edi,bl
  83c728               add edi,0x28
  4889e6               mov rsi,rsp
  31d2                 xor edx,edx
  b80d000000           mov eax,0xd
  0f05                 syscall
  c1eb08               shr ebx,0x8
  75b7                 jne again
  4883c420             add rsp,0x20
  5a                   pop rdx`,
  arm64: `
start:
  e10340f9             ldr x1, [sp]
  e2430091             add x2, sp, #0x10
  420c018b             add x2, x2, x1, lsl #3
  e30302aa             mov x3, x2
  e9098ad2             mov x9, #0x504f
  a9c8a9f2             movk x9, #0x4e45, lsl #16
  696acaf2             movk x9, #0x5353, lsl #32
  89e9ebf2             movk x9, #0x5f4c, lsl #48 ; OPENSSL_
  cae989d2             mov x10, #0x4f4e
  8aa8a8f2             movk x10, #0x4544, lsl #16
  ea0bc0f2             movk x10, #0x5f, lsl #32 ; NODE_
  ab088bd2             mov x11, #0x5845
  8b4aaaf2             movk x11, #0x5254, lsl #16
  2be8cbf2             movk x11, #0x5f41, lsl #32
  6b28e8f2             movk x11, #0x4143, lsl #48 ; EXTRA_CA
  acca8ad2             mov x12, #0x5655
  ec0ba0f2             movk x12, #0x5f, lsl #16 ; UV_
  2d498852             mov w13, #0x4249
  6d4aaa72             movk w13, #0x5253, lsl #16 ; IBSR
next:
  448440f8             ldr x4, [x2], #8
  040200b4             cbz x4, clear
  850040f9             ldr x5, [x4]
  bf0009eb             cmp x5, x9
  80ffff54             b.eq next
  a65c4092             and x6, x5, #0xffffff
  df000ceb             cmp x6, x12
  20ffff54             b.eq next
  a69c4092             and x6, x5, #0xffffffffff
  df000aeb             cmp x6, x10
  a1000054             b.ne keep
  865040f8             ldur x6, [x4, #5]
  df000beb             cmp x6, x11
  61feff54             b.ne next
  8d0000b9             str w13, [x4]
keep:
  648400f8             str x4, [x3], #8
  f0ffff17             b next
clear:
  7f0002eb             cmp x3, x2
  62000054             b.cs signals
  7f8400f8             str xzr, [x3], #8
  fdffff17             b clear
signals:
  f30300aa             mov x19, x0
  344080d2             mov x20, #0x201
  f401a0f2             movk x20, #0xf, lsl #16 ; signals 15, 2, 1
  ff8300d1             sub sp, sp, #0x20
again:
  801e4092             and x0, x20, #0xff
  010080d2             mov x1, #0x0
  e2030091             mov x2, sp
  030180d2             mov x3, #0x8
  c81080d2             mov x8, #0x86
  010000d4             svc #0x0
  e40340f9             ldr x4, [sp]
  9f0400f1             cmp x4, #0x1
  e4179f9a             cset x4, eq
  e47f00a9             stp x4, xzr, [sp]
  ff7f01a9             stp xzr, xzr, [sp, #16]
  801e4092             and x0, x20, #0xff
  00a00091             add x0, x0, #0x28
  e1030091             mov x1, sp
  020080d2             mov x2, #0x0
  030180d2             mov x3, #0x8
  c81080d2             mov x8, #0x86
  010000d4             svc #0x0
  94fe48d3             lsr x20, x20, #8
  b4fdffb5             cbnz x20, again
  ff830091             add sp, sp, #0x20
  e00313aa             mov x0, x19`
}

export const entryCode = (architecture: Architecture): Buffer =>
  Buffer.from([...listings[architecture].matchAll(/^ +([0-9a-f]+) /gm)].map(([, bytes]) => bytes).join(""), "hex")

/** A jump over `distance` bytes, counted from its own first byte. */
export const jump = (architecture: Architecture, distance: number): Buffer => {
  if (architecture === "x86_64") {
    const code = Buffer.from("e900000000", "hex")
    code.writeInt32LE(distance - code.length, 1)
    return code
  }
  if (Math.abs(distance) >= 2 ** 27) throw new Error("Node's entry point is too far away")
  const code = Buffer.alloc(4)
  code.writeUInt32LE((0x14000000 | ((distance / 4) & 0x03ffffff)) >>> 0)
  return code
}
