/**
 * The service that systemd starts when an upload has failed. It is an example, to be replaced by one that sends a mail
 * or calls a webhook.
 */
export const text: string = [
  "# An example for all jobs: replace ExecStart= here, or in a drop-in in ibsr-alert@.service.d.",
  "[Unit]",
  "Description=Report that %i has failed",
  "",
  "[Service]",
  "Type=oneshot",
  "# systemd sets $MONITOR_… since version 251. Two dollar signs become one for the shell.",
  `ExecStart=/bin/sh -c 'echo "<2>%i has failed: $\${MONITOR_SERVICE_RESULT:-?}, exit status $\${MONITOR_EXIT_STATUS:-?}; journalctl -u %i says more"'`,
  "SyslogIdentifier=ibsr-alert",
  "DynamicUser=yes",
  "ProtectSystem=strict",
  "ProtectHome=yes",
  "NoNewPrivileges=yes",
  "CapabilityBoundingSet=",
  "PrivateDevices=yes",
  "TimeoutStartSec=1min",
  ""
].join("\n")
