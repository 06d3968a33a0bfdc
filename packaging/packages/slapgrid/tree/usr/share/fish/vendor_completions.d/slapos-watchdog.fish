complete -c slapos-watchdog -l master-url -d 'URL of the master' -r
complete -c slapos-watchdog -l computer-id -d 'What the master calls this computer' -r
complete -c slapos-watchdog -l master-ca-file -d 'Certificate authorities for the master, in place of the system\'s' -r -F
complete -c slapos-watchdog -l certificate-repository-path -d 'Where the certificates of the partitions are' -r -F
complete -c slapos-watchdog -l instance-root-path -d 'Where the partitions are' -r -F
complete -c slapos-watchdog -s h -l help -d 'Print help'
complete -c slapos-watchdog -s V -l version -d 'Print version'
