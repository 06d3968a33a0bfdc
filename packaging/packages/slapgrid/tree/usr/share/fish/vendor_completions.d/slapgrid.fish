complete -c slapgrid -l instance-root -d 'Where partitions are' -r -F
complete -c slapgrid -l software-root -d 'Where software releases are installed' -r -F
complete -c slapgrid -l master-url -d 'URL of the master' -r
complete -c slapgrid -l computer-id -d 'Reference of this computer' -r
complete -c slapgrid -l supervisord-socket -d 'Socket of supervisord' -r -F
complete -c slapgrid -l supervisord-configuration-path -d 'Configuration of supervisord' -r -F
complete -c slapgrid -l buildout -d 'The buildout that bootstraps releases' -r -F
complete -c slapgrid -l pidfile -d 'Held locked, so that only one run is under way' -r -F
complete -c slapgrid -l key-file -d 'Private key of the computer' -r -F
complete -c slapgrid -l cert-file -d 'Certificate of the computer' -r -F
complete -c slapgrid -l signature-private-key-file -d 'Key that signs what is uploaded to the binary cache' -r -F
complete -c slapgrid -l master-ca-file -d 'Trust only the authorities of this file' -r -F
complete -c slapgrid -l certificate-repository-path -d 'Where certificates of partitions are kept' -r -F
complete -c slapgrid -l metrics-file -d 'Write figures of the runs to this file, for the textfile collector of Prometheus' -r -F
complete -c slapgrid -l maximum-periodicity -d 'Process instances again after this time; negative: never' -r
complete -c slapgrid -l promise-timeout -d 'Time for each promise' -r
complete -c slapgrid -l partition-timeout -d 'Time for the buildout of each partition' -r
complete -c slapgrid -l maximal-delay -d 'Longest delay of a run without terminal' -r
complete -c slapgrid -l jobs -d 'How many releases (else one) or partitions (else one for each core) are worked on at the same time' -r
complete -c slapgrid -l watch -d 'Stay, and work again after this time, 60 seconds unless another is given; at once on SIGHUP, which has slapos.cfg read again' -r
complete -c slapgrid -l export-bundle -d 'slapgrid-sr only: write the installed releases into a file, signed, for nodes without network' -r -F
complete -c slapgrid -l import-bundle -d 'slapgrid-sr only: install the releases of such a file that are for this node, without a master; the next run tells it' -r -F
complete -c slapgrid -l additional-software-directory -d 'With --prune: releases in this directory use shared parts, too; may be given several times' -r -F
complete -c slapgrid -l only-sr -d 'Only these releases (MD5 or URL), even if they are installed' -r
complete -c slapgrid -l only-cp -d 'Only these partitions, even if they are up to date' -r
complete -c slapgrid -l only -d 'As --only-sr for slapgrid-sr, as --only-cp for the other tools' -r
complete -c slapgrid -l logfile -d 'Log to this file' -r -F
complete -c slapgrid -l log-format -d 'How a line of the log looks' -r -f -a "text\t'As slapos.core writes it'
json\t'A JSON object'"
complete -c slapgrid -l now -d 'At once, without the random delay of a run without terminal'
complete -c slapgrid -l develop -d 'Process what is up to date, and let buildout look for newer versions'
complete -c slapgrid -l force -l all -d 'Process what is up to date'
complete -c slapgrid -l force-stop -d 'Stop the services, whatever the master wants'
complete -c slapgrid -l garbage-collect -d 'Remove releases that the master does not name'
complete -c slapgrid -l buildout-debug -d 'Let buildout start its debugger on errors, on the terminal, one at a time'
complete -c slapgrid -l dry-run -d 'Only say what a run would do: exit code 0 if nothing, 4 if something is to be changed'
complete -c slapgrid -l promises-only -d 'Only check the promises of the instances that shall run; the master is told nothing'
complete -c slapgrid -l boot -d 'After the start of the machine, when slapformat has run: starts the services that are known, waits for the master, tells it, and has every instance processed again'
complete -c slapgrid -l status -d 'Only show what runs here and which promises are kept: exit code 1 if something does not run, 2 if only promises are broken'
complete -c slapgrid -l json -d 'Print what became of the run as one JSON document; with --dry-run the plan, with --status the status'
complete -c slapgrid -l prune -d 'slapgrid-sr only: only remove the shared parts that nothing uses'
complete -c slapgrid -s c -l console -d 'Log to standard error, too'
complete -c slapgrid -s v -l verbose -d 'Log details'
complete -c slapgrid -s q -l quiet -d 'Log warnings and errors only, and show no progress'
complete -c slapgrid -s h -l help -d 'Print help (see more with \'--help\')'
complete -c slapgrid -s V -l version -d 'Print version'
