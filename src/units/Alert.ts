/** What is started when the service has failed: an example, to be replaced by a mail or a call. */
export const text: string = [
  "# Made by `ibsr-export units`: an example. What it does is for a drop-in in ibsr-alert@.service.d to change.",
  "[Unit]",
  "Description=Tell that %i has failed",
  "",
  "[Service]",
  "Type=oneshot",
  "# $MONITOR_… come from systemd 251 on. Two dollar signs are one for the shell.",
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
