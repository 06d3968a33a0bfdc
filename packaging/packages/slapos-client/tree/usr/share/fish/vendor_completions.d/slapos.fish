# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_slapos_global_optspecs
    string join \n v/verbose q/quiet debug log-file= log-format= log-color log-time h/help V/version
end

function __fish_slapos_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_slapos_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_slapos_using_subcommand
    set -l cmd (__fish_slapos_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c slapos -n "__fish_slapos_needs_command" -l log-file -d 'Log to this file, too' -r -F
complete -c slapos -n "__fish_slapos_needs_command" -l log-format -d 'How a line of the log looks' -r -f -a "text\t'As slapos.core writes it'
json\t'A JSON object'"
complete -c slapos -n "__fish_slapos_needs_command" -s v -l verbose -d 'Log details'
complete -c slapos -n "__fish_slapos_needs_command" -s q -l quiet -d 'Log warnings and errors only'
complete -c slapos -n "__fish_slapos_needs_command" -l debug -d 'Log details'
complete -c slapos -n "__fish_slapos_needs_command" -l log-color
complete -c slapos -n "__fish_slapos_needs_command" -l log-time
complete -c slapos -n "__fish_slapos_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c slapos -n "__fish_slapos_needs_command" -s V -l version -d 'Print version'
complete -c slapos -n "__fish_slapos_needs_command" -f -a "node" -d 'For the admin of a node; alone: its status'
complete -c slapos -n "__fish_slapos_needs_command" -f -a "proxy" -d 'A small master'
complete -c slapos -n "__fish_slapos_needs_command" -f -a "cachelookup" -d 'What the network cache has'
complete -c slapos -n "__fish_slapos_needs_command" -f -a "request" -d 'Request an instance, or change one, and show its state and connection parameters'
complete -c slapos -n "__fish_slapos_needs_command" -f -a "supply" -d 'Ask a computer to install a software release'
complete -c slapos -n "__fish_slapos_needs_command" -f -a "remove" -d 'Ask a computer to remove a software release'
complete -c slapos -n "__fish_slapos_needs_command" -f -a "console" -d 'A prompt to speak to a master: slapconsole'
complete -c slapos -n "__fish_slapos_needs_command" -f -a "service" -d 'Your instances'
complete -c slapos -n "__fish_slapos_needs_command" -f -a "computer" -d 'Your computers'
complete -c slapos -n "__fish_slapos_needs_command" -f -a "configure" -d 'Not here: write slapos.cfg yourself'
complete -c slapos -n "__fish_slapos_needs_command" -f -a "complete" -d 'Print a script that completes this command line in a shell'
complete -c slapos -n "__fish_slapos_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c slapos -n "__fish_slapos_using_subcommand node; and not __fish_seen_subcommand_from format software instance report promise prune boot bang supervisord supervisorctl status start stop restart tail collect register help" -l log-file -d 'Log to this file, too' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand node; and not __fish_seen_subcommand_from format software instance report promise prune boot bang supervisord supervisorctl status start stop restart tail collect register help" -l log-format -d 'How a line of the log looks' -r -f -a "text\t'As slapos.core writes it'
json\t'A JSON object'"
complete -c slapos -n "__fish_slapos_using_subcommand node; and not __fish_seen_subcommand_from format software instance report promise prune boot bang supervisord supervisorctl status start stop restart tail collect register help" -s v -l verbose -d 'Log details'
complete -c slapos -n "__fish_slapos_using_subcommand node; and not __fish_seen_subcommand_from format software instance report promise prune boot bang supervisord supervisorctl status start stop restart tail collect register help" -s q -l quiet -d 'Log warnings and errors only'
complete -c slapos -n "__fish_slapos_using_subcommand node; and not __fish_seen_subcommand_from format software instance report promise prune boot bang supervisord supervisorctl status start stop restart tail collect register help" -l debug -d 'Log details'
complete -c slapos -n "__fish_slapos_using_subcommand node; and not __fish_seen_subcommand_from format software instance report promise prune boot bang supervisord supervisorctl status start stop restart tail collect register help" -l log-color
complete -c slapos -n "__fish_slapos_using_subcommand node; and not __fish_seen_subcommand_from format software instance report promise prune boot bang supervisord supervisorctl status start stop restart tail collect register help" -l log-time
complete -c slapos -n "__fish_slapos_using_subcommand node; and not __fish_seen_subcommand_from format software instance report promise prune boot bang supervisord supervisorctl status start stop restart tail collect register help" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c slapos -n "__fish_slapos_using_subcommand node; and not __fish_seen_subcommand_from format software instance report promise prune boot bang supervisord supervisorctl status start stop restart tail collect register help" -f -a "format" -d 'Prepare the machine: slapformat'
complete -c slapos -n "__fish_slapos_using_subcommand node; and not __fish_seen_subcommand_from format software instance report promise prune boot bang supervisord supervisorctl status start stop restart tail collect register help" -f -a "software" -d 'Install and remove software releases: slapgrid-sr'
complete -c slapos -n "__fish_slapos_using_subcommand node; and not __fish_seen_subcommand_from format software instance report promise prune boot bang supervisord supervisorctl status start stop restart tail collect register help" -f -a "instance" -d 'Make partitions run their instances: slapgrid-cp'
complete -c slapos -n "__fish_slapos_using_subcommand node; and not __fish_seen_subcommand_from format software instance report promise prune boot bang supervisord supervisorctl status start stop restart tail collect register help" -f -a "report" -d 'Report usage, and empty partitions that are no longer wanted: slapgrid-ur'
complete -c slapos -n "__fish_slapos_using_subcommand node; and not __fish_seen_subcommand_from format software instance report promise prune boot bang supervisord supervisorctl status start stop restart tail collect register help" -f -a "promise" -d 'Only check promises: slapgrid-cp --promises-only'
complete -c slapos -n "__fish_slapos_using_subcommand node; and not __fish_seen_subcommand_from format software instance report promise prune boot bang supervisord supervisorctl status start stop restart tail collect register help" -f -a "prune" -d 'Only remove shared parts that nothing uses: slapgrid-sr --prune'
complete -c slapos -n "__fish_slapos_using_subcommand node; and not __fish_seen_subcommand_from format software instance report promise prune boot bang supervisord supervisorctl status start stop restart tail collect register help" -f -a "boot" -d 'After the start of the machine: prepare it until the master knows, start the services that are known, and have every instance processed again'
complete -c slapos -n "__fish_slapos_using_subcommand node; and not __fish_seen_subcommand_from format software instance report promise prune boot bang supervisord supervisorctl status start stop restart tail collect register help" -f -a "bang" -d 'Have every instance of this computer processed again: slapos-bang'
complete -c slapos -n "__fish_slapos_using_subcommand node; and not __fish_seen_subcommand_from format software instance report promise prune boot bang supervisord supervisorctl status start stop restart tail collect register help" -f -a "supervisord" -d 'Start supervisord, if it does not run: slapgrid-supervisord'
complete -c slapos -n "__fish_slapos_using_subcommand node; and not __fish_seen_subcommand_from format software instance report promise prune boot bang supervisord supervisorctl status start stop restart tail collect register help" -f -a "supervisorctl" -d 'Run supervisorctl: slapgrid-supervisorctl'
complete -c slapos -n "__fish_slapos_using_subcommand node; and not __fish_seen_subcommand_from format software instance report promise prune boot bang supervisord supervisorctl status start stop restart tail collect register help" -f -a "status" -d 'Show services: supervisorctl status'
complete -c slapos -n "__fish_slapos_using_subcommand node; and not __fish_seen_subcommand_from format software instance report promise prune boot bang supervisord supervisorctl status start stop restart tail collect register help" -f -a "start" -d 'Start services: supervisorctl start'
complete -c slapos -n "__fish_slapos_using_subcommand node; and not __fish_seen_subcommand_from format software instance report promise prune boot bang supervisord supervisorctl status start stop restart tail collect register help" -f -a "stop" -d 'Stop services: supervisorctl stop'
complete -c slapos -n "__fish_slapos_using_subcommand node; and not __fish_seen_subcommand_from format software instance report promise prune boot bang supervisord supervisorctl status start stop restart tail collect register help" -f -a "restart" -d 'Restart services: supervisorctl restart'
complete -c slapos -n "__fish_slapos_using_subcommand node; and not __fish_seen_subcommand_from format software instance report promise prune boot bang supervisord supervisorctl status start stop restart tail collect register help" -f -a "tail" -d 'Show what a service has written: supervisorctl tail'
complete -c slapos -n "__fish_slapos_using_subcommand node; and not __fish_seen_subcommand_from format software instance report promise prune boot bang supervisord supervisorctl status start stop restart tail collect register help" -f -a "collect" -d 'Not here: slapgrid\'s --metrics-file tells how the node does'
complete -c slapos -n "__fish_slapos_using_subcommand node; and not __fish_seen_subcommand_from format software instance report promise prune boot bang supervisord supervisorctl status start stop restart tail collect register help" -f -a "register" -d 'Not here: the web panel of the master registers computers'
complete -c slapos -n "__fish_slapos_using_subcommand node; and not __fish_seen_subcommand_from format software instance report promise prune boot bang supervisord supervisorctl status start stop restart tail collect register help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from format" -l cfg -d 'slapos.cfg, instead of $SLAPOS_CONFIGURATION or /etc/opt/slapos/slapos.cfg' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from format" -s x -l computer-xml -d 'The file that holds the computer' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from format" -s i -l input-definition-file -d 'Read a definition of the computer' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from format" -s o -l output-definition-file -d 'Write a definition of the computer' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from format" -l alter-user -d 'Whether to make users' -r
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from format" -l alter-network -d 'Whether to change the network' -r
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from format" -s c -l console -r
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from format" -l log-file -d 'Log to this file, too' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from format" -l log-format -d 'How a line of the log looks' -r -f -a "text\t'As slapos.core writes it'
json\t'A JSON object'"
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from format" -s n -l dry-run -d 'Say everything, change nothing'
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from format" -l json -d 'With --dry_run: the plan as JSON'
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from format" -l now -d 'At once, without the random delay of a run without terminal'
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from format" -s v -l verbose -d 'Log details'
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from format" -s q -l quiet -d 'Log warnings and errors only'
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from format" -l debug -d 'Log details'
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from format" -l log-color
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from format" -l log-time
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from format" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from software" -l cfg -d 'slapos.cfg, instead of $SLAPOS_CONFIGURATION or /etc/opt/slapos/slapos.cfg' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from software" -l instance-root -d 'Where partitions are' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from software" -l software-root -d 'Where software releases are installed' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from software" -l master-url -d 'URL of the master' -r
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from software" -l computer-id -d 'Reference of this computer' -r
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from software" -l supervisord-socket -d 'Socket of supervisord' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from software" -l supervisord-configuration-path -d 'Configuration of supervisord' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from software" -l buildout -d 'The buildout that bootstraps releases' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from software" -l pidfile -d 'Held locked, so that only one run is under way' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from software" -l key-file -d 'Private key of the computer' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from software" -l cert-file -d 'Certificate of the computer' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from software" -l signature-private-key-file -d 'Key that signs what is uploaded to the binary cache' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from software" -l master-ca-file -d 'Trust only the authorities of this file' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from software" -l certificate-repository-path -d 'Where certificates of partitions are kept' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from software" -l metrics-file -d 'Write figures of the runs to this file, for the textfile collector of Prometheus' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from software" -l maximum-periodicity -d 'Process instances again after this time; negative: never' -r
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from software" -l promise-timeout -d 'Time for each promise' -r
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from software" -l partition-timeout -d 'Time for the buildout of each partition' -r
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from software" -l maximal-delay -d 'Longest delay of a run without terminal' -r
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from software" -l jobs -d 'How many releases (else one) or partitions (else one for each core) are worked on at the same time' -r
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from software" -l watch -d 'Stay, and work again after this time, 60 seconds unless another is given; at once on SIGHUP, which has slapos.cfg read again' -r
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from software" -l export-bundle -d 'slapgrid-sr only: write the installed releases into a file, signed, for nodes without network' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from software" -l import-bundle -d 'slapgrid-sr only: install the releases of such a file that are for this node, without a master; the next run tells it' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from software" -l additional-software-directory -d 'With --prune: releases in this directory use shared parts, too; may be given several times' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from software" -l only-sr -d 'Only these releases (MD5 or URL), even if they are installed' -r
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from software" -l only-cp -d 'Only these partitions, even if they are up to date' -r
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from software" -l only -d 'As --only-sr for slapgrid-sr, as --only-cp for the other tools' -r
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from software" -l log-file -d 'Log to this file, too' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from software" -l log-format -d 'How a line of the log looks' -r -f -a "text\t'As slapos.core writes it'
json\t'A JSON object'"
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from software" -l now -d 'At once, without the random delay of a run without terminal'
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from software" -l develop -d 'Process what is up to date, and let buildout look for newer versions'
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from software" -l force -l all -d 'Process what is up to date'
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from software" -l force-stop -d 'Stop the services, whatever the master wants'
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from software" -l garbage-collect -d 'Remove releases that the master does not name'
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from software" -l buildout-debug -d 'Let buildout start its debugger on errors, on the terminal, one at a time'
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from software" -l dry-run -d 'Only say what a run would do: exit code 0 if nothing, 4 if something is to be changed'
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from software" -l promises-only -d 'Only check the promises of the instances that shall run; the master is told nothing'
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from software" -l boot -d 'After the start of the machine, when slapformat has run: starts the services that are known, waits for the master, tells it, and has every instance processed again'
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from software" -l status -d 'Only show what runs here and which promises are kept: exit code 1 if something does not run, 2 if only promises are broken'
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from software" -l json -d 'Print what became of the run as one JSON document; with --dry-run the plan, with --status the status'
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from software" -l prune -d 'slapgrid-sr only: only remove the shared parts that nothing uses'
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from software" -s v -l verbose -d 'Log details'
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from software" -s q -l quiet -d 'Log warnings and errors only'
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from software" -l debug -d 'Log details'
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from software" -l log-color
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from software" -l log-time
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from software" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from instance" -l cfg -d 'slapos.cfg, instead of $SLAPOS_CONFIGURATION or /etc/opt/slapos/slapos.cfg' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from instance" -l instance-root -d 'Where partitions are' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from instance" -l software-root -d 'Where software releases are installed' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from instance" -l master-url -d 'URL of the master' -r
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from instance" -l computer-id -d 'Reference of this computer' -r
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from instance" -l supervisord-socket -d 'Socket of supervisord' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from instance" -l supervisord-configuration-path -d 'Configuration of supervisord' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from instance" -l buildout -d 'The buildout that bootstraps releases' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from instance" -l pidfile -d 'Held locked, so that only one run is under way' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from instance" -l key-file -d 'Private key of the computer' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from instance" -l cert-file -d 'Certificate of the computer' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from instance" -l signature-private-key-file -d 'Key that signs what is uploaded to the binary cache' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from instance" -l master-ca-file -d 'Trust only the authorities of this file' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from instance" -l certificate-repository-path -d 'Where certificates of partitions are kept' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from instance" -l metrics-file -d 'Write figures of the runs to this file, for the textfile collector of Prometheus' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from instance" -l maximum-periodicity -d 'Process instances again after this time; negative: never' -r
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from instance" -l promise-timeout -d 'Time for each promise' -r
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from instance" -l partition-timeout -d 'Time for the buildout of each partition' -r
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from instance" -l maximal-delay -d 'Longest delay of a run without terminal' -r
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from instance" -l jobs -d 'How many releases (else one) or partitions (else one for each core) are worked on at the same time' -r
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from instance" -l watch -d 'Stay, and work again after this time, 60 seconds unless another is given; at once on SIGHUP, which has slapos.cfg read again' -r
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from instance" -l export-bundle -d 'slapgrid-sr only: write the installed releases into a file, signed, for nodes without network' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from instance" -l import-bundle -d 'slapgrid-sr only: install the releases of such a file that are for this node, without a master; the next run tells it' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from instance" -l additional-software-directory -d 'With --prune: releases in this directory use shared parts, too; may be given several times' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from instance" -l only-sr -d 'Only these releases (MD5 or URL), even if they are installed' -r
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from instance" -l only-cp -d 'Only these partitions, even if they are up to date' -r
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from instance" -l only -d 'As --only-sr for slapgrid-sr, as --only-cp for the other tools' -r
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from instance" -l log-file -d 'Log to this file, too' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from instance" -l log-format -d 'How a line of the log looks' -r -f -a "text\t'As slapos.core writes it'
json\t'A JSON object'"
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from instance" -l now -d 'At once, without the random delay of a run without terminal'
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from instance" -l develop -d 'Process what is up to date, and let buildout look for newer versions'
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from instance" -l force -l all -d 'Process what is up to date'
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from instance" -l force-stop -d 'Stop the services, whatever the master wants'
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from instance" -l garbage-collect -d 'Remove releases that the master does not name'
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from instance" -l buildout-debug -d 'Let buildout start its debugger on errors, on the terminal, one at a time'
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from instance" -l dry-run -d 'Only say what a run would do: exit code 0 if nothing, 4 if something is to be changed'
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from instance" -l promises-only -d 'Only check the promises of the instances that shall run; the master is told nothing'
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from instance" -l boot -d 'After the start of the machine, when slapformat has run: starts the services that are known, waits for the master, tells it, and has every instance processed again'
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from instance" -l status -d 'Only show what runs here and which promises are kept: exit code 1 if something does not run, 2 if only promises are broken'
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from instance" -l json -d 'Print what became of the run as one JSON document; with --dry-run the plan, with --status the status'
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from instance" -l prune -d 'slapgrid-sr only: only remove the shared parts that nothing uses'
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from instance" -s v -l verbose -d 'Log details'
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from instance" -s q -l quiet -d 'Log warnings and errors only'
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from instance" -l debug -d 'Log details'
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from instance" -l log-color
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from instance" -l log-time
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from instance" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from report" -l cfg -d 'slapos.cfg, instead of $SLAPOS_CONFIGURATION or /etc/opt/slapos/slapos.cfg' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from report" -l instance-root -d 'Where partitions are' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from report" -l software-root -d 'Where software releases are installed' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from report" -l master-url -d 'URL of the master' -r
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from report" -l computer-id -d 'Reference of this computer' -r
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from report" -l supervisord-socket -d 'Socket of supervisord' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from report" -l supervisord-configuration-path -d 'Configuration of supervisord' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from report" -l buildout -d 'The buildout that bootstraps releases' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from report" -l pidfile -d 'Held locked, so that only one run is under way' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from report" -l key-file -d 'Private key of the computer' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from report" -l cert-file -d 'Certificate of the computer' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from report" -l signature-private-key-file -d 'Key that signs what is uploaded to the binary cache' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from report" -l master-ca-file -d 'Trust only the authorities of this file' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from report" -l certificate-repository-path -d 'Where certificates of partitions are kept' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from report" -l metrics-file -d 'Write figures of the runs to this file, for the textfile collector of Prometheus' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from report" -l maximum-periodicity -d 'Process instances again after this time; negative: never' -r
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from report" -l promise-timeout -d 'Time for each promise' -r
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from report" -l partition-timeout -d 'Time for the buildout of each partition' -r
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from report" -l maximal-delay -d 'Longest delay of a run without terminal' -r
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from report" -l jobs -d 'How many releases (else one) or partitions (else one for each core) are worked on at the same time' -r
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from report" -l watch -d 'Stay, and work again after this time, 60 seconds unless another is given; at once on SIGHUP, which has slapos.cfg read again' -r
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from report" -l export-bundle -d 'slapgrid-sr only: write the installed releases into a file, signed, for nodes without network' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from report" -l import-bundle -d 'slapgrid-sr only: install the releases of such a file that are for this node, without a master; the next run tells it' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from report" -l additional-software-directory -d 'With --prune: releases in this directory use shared parts, too; may be given several times' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from report" -l only-sr -d 'Only these releases (MD5 or URL), even if they are installed' -r
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from report" -l only-cp -d 'Only these partitions, even if they are up to date' -r
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from report" -l only -d 'As --only-sr for slapgrid-sr, as --only-cp for the other tools' -r
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from report" -l log-file -d 'Log to this file, too' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from report" -l log-format -d 'How a line of the log looks' -r -f -a "text\t'As slapos.core writes it'
json\t'A JSON object'"
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from report" -l now -d 'At once, without the random delay of a run without terminal'
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from report" -l develop -d 'Process what is up to date, and let buildout look for newer versions'
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from report" -l force -l all -d 'Process what is up to date'
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from report" -l force-stop -d 'Stop the services, whatever the master wants'
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from report" -l garbage-collect -d 'Remove releases that the master does not name'
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from report" -l buildout-debug -d 'Let buildout start its debugger on errors, on the terminal, one at a time'
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from report" -l dry-run -d 'Only say what a run would do: exit code 0 if nothing, 4 if something is to be changed'
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from report" -l promises-only -d 'Only check the promises of the instances that shall run; the master is told nothing'
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from report" -l boot -d 'After the start of the machine, when slapformat has run: starts the services that are known, waits for the master, tells it, and has every instance processed again'
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from report" -l status -d 'Only show what runs here and which promises are kept: exit code 1 if something does not run, 2 if only promises are broken'
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from report" -l json -d 'Print what became of the run as one JSON document; with --dry-run the plan, with --status the status'
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from report" -l prune -d 'slapgrid-sr only: only remove the shared parts that nothing uses'
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from report" -s v -l verbose -d 'Log details'
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from report" -s q -l quiet -d 'Log warnings and errors only'
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from report" -l debug -d 'Log details'
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from report" -l log-color
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from report" -l log-time
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from report" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from promise" -l cfg -d 'slapos.cfg, instead of $SLAPOS_CONFIGURATION or /etc/opt/slapos/slapos.cfg' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from promise" -l instance-root -d 'Where partitions are' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from promise" -l software-root -d 'Where software releases are installed' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from promise" -l master-url -d 'URL of the master' -r
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from promise" -l computer-id -d 'Reference of this computer' -r
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from promise" -l supervisord-socket -d 'Socket of supervisord' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from promise" -l supervisord-configuration-path -d 'Configuration of supervisord' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from promise" -l buildout -d 'The buildout that bootstraps releases' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from promise" -l pidfile -d 'Held locked, so that only one run is under way' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from promise" -l key-file -d 'Private key of the computer' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from promise" -l cert-file -d 'Certificate of the computer' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from promise" -l signature-private-key-file -d 'Key that signs what is uploaded to the binary cache' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from promise" -l master-ca-file -d 'Trust only the authorities of this file' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from promise" -l certificate-repository-path -d 'Where certificates of partitions are kept' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from promise" -l metrics-file -d 'Write figures of the runs to this file, for the textfile collector of Prometheus' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from promise" -l maximum-periodicity -d 'Process instances again after this time; negative: never' -r
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from promise" -l promise-timeout -d 'Time for each promise' -r
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from promise" -l partition-timeout -d 'Time for the buildout of each partition' -r
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from promise" -l maximal-delay -d 'Longest delay of a run without terminal' -r
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from promise" -l jobs -d 'How many releases (else one) or partitions (else one for each core) are worked on at the same time' -r
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from promise" -l watch -d 'Stay, and work again after this time, 60 seconds unless another is given; at once on SIGHUP, which has slapos.cfg read again' -r
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from promise" -l export-bundle -d 'slapgrid-sr only: write the installed releases into a file, signed, for nodes without network' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from promise" -l import-bundle -d 'slapgrid-sr only: install the releases of such a file that are for this node, without a master; the next run tells it' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from promise" -l additional-software-directory -d 'With --prune: releases in this directory use shared parts, too; may be given several times' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from promise" -l only-sr -d 'Only these releases (MD5 or URL), even if they are installed' -r
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from promise" -l only-cp -d 'Only these partitions, even if they are up to date' -r
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from promise" -l only -d 'As --only-sr for slapgrid-sr, as --only-cp for the other tools' -r
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from promise" -l log-file -d 'Log to this file, too' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from promise" -l log-format -d 'How a line of the log looks' -r -f -a "text\t'As slapos.core writes it'
json\t'A JSON object'"
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from promise" -l now -d 'At once, without the random delay of a run without terminal'
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from promise" -l develop -d 'Process what is up to date, and let buildout look for newer versions'
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from promise" -l force -l all -d 'Process what is up to date'
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from promise" -l force-stop -d 'Stop the services, whatever the master wants'
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from promise" -l garbage-collect -d 'Remove releases that the master does not name'
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from promise" -l buildout-debug -d 'Let buildout start its debugger on errors, on the terminal, one at a time'
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from promise" -l dry-run -d 'Only say what a run would do: exit code 0 if nothing, 4 if something is to be changed'
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from promise" -l promises-only -d 'Only check the promises of the instances that shall run; the master is told nothing'
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from promise" -l boot -d 'After the start of the machine, when slapformat has run: starts the services that are known, waits for the master, tells it, and has every instance processed again'
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from promise" -l status -d 'Only show what runs here and which promises are kept: exit code 1 if something does not run, 2 if only promises are broken'
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from promise" -l json -d 'Print what became of the run as one JSON document; with --dry-run the plan, with --status the status'
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from promise" -l prune -d 'slapgrid-sr only: only remove the shared parts that nothing uses'
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from promise" -s v -l verbose -d 'Log details'
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from promise" -s q -l quiet -d 'Log warnings and errors only'
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from promise" -l debug -d 'Log details'
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from promise" -l log-color
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from promise" -l log-time
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from promise" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from prune" -l cfg -d 'slapos.cfg, instead of $SLAPOS_CONFIGURATION or /etc/opt/slapos/slapos.cfg' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from prune" -l instance-root -d 'Where partitions are' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from prune" -l software-root -d 'Where software releases are installed' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from prune" -l master-url -d 'URL of the master' -r
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from prune" -l computer-id -d 'Reference of this computer' -r
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from prune" -l supervisord-socket -d 'Socket of supervisord' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from prune" -l supervisord-configuration-path -d 'Configuration of supervisord' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from prune" -l buildout -d 'The buildout that bootstraps releases' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from prune" -l pidfile -d 'Held locked, so that only one run is under way' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from prune" -l key-file -d 'Private key of the computer' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from prune" -l cert-file -d 'Certificate of the computer' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from prune" -l signature-private-key-file -d 'Key that signs what is uploaded to the binary cache' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from prune" -l master-ca-file -d 'Trust only the authorities of this file' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from prune" -l certificate-repository-path -d 'Where certificates of partitions are kept' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from prune" -l metrics-file -d 'Write figures of the runs to this file, for the textfile collector of Prometheus' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from prune" -l maximum-periodicity -d 'Process instances again after this time; negative: never' -r
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from prune" -l promise-timeout -d 'Time for each promise' -r
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from prune" -l partition-timeout -d 'Time for the buildout of each partition' -r
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from prune" -l maximal-delay -d 'Longest delay of a run without terminal' -r
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from prune" -l jobs -d 'How many releases (else one) or partitions (else one for each core) are worked on at the same time' -r
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from prune" -l watch -d 'Stay, and work again after this time, 60 seconds unless another is given; at once on SIGHUP, which has slapos.cfg read again' -r
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from prune" -l export-bundle -d 'slapgrid-sr only: write the installed releases into a file, signed, for nodes without network' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from prune" -l import-bundle -d 'slapgrid-sr only: install the releases of such a file that are for this node, without a master; the next run tells it' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from prune" -l additional-software-directory -d 'With --prune: releases in this directory use shared parts, too; may be given several times' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from prune" -l only-sr -d 'Only these releases (MD5 or URL), even if they are installed' -r
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from prune" -l only-cp -d 'Only these partitions, even if they are up to date' -r
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from prune" -l only -d 'As --only-sr for slapgrid-sr, as --only-cp for the other tools' -r
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from prune" -l log-file -d 'Log to this file, too' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from prune" -l log-format -d 'How a line of the log looks' -r -f -a "text\t'As slapos.core writes it'
json\t'A JSON object'"
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from prune" -l now -d 'At once, without the random delay of a run without terminal'
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from prune" -l develop -d 'Process what is up to date, and let buildout look for newer versions'
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from prune" -l force -l all -d 'Process what is up to date'
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from prune" -l force-stop -d 'Stop the services, whatever the master wants'
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from prune" -l garbage-collect -d 'Remove releases that the master does not name'
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from prune" -l buildout-debug -d 'Let buildout start its debugger on errors, on the terminal, one at a time'
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from prune" -l dry-run -d 'Only say what a run would do: exit code 0 if nothing, 4 if something is to be changed'
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from prune" -l promises-only -d 'Only check the promises of the instances that shall run; the master is told nothing'
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from prune" -l boot -d 'After the start of the machine, when slapformat has run: starts the services that are known, waits for the master, tells it, and has every instance processed again'
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from prune" -l status -d 'Only show what runs here and which promises are kept: exit code 1 if something does not run, 2 if only promises are broken'
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from prune" -l json -d 'Print what became of the run as one JSON document; with --dry-run the plan, with --status the status'
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from prune" -l prune -d 'slapgrid-sr only: only remove the shared parts that nothing uses'
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from prune" -s v -l verbose -d 'Log details'
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from prune" -s q -l quiet -d 'Log warnings and errors only'
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from prune" -l debug -d 'Log details'
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from prune" -l log-color
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from prune" -l log-time
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from prune" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from boot" -l cfg -d 'slapos.cfg, instead of $SLAPOS_CONFIGURATION or /etc/opt/slapos/slapos.cfg' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from boot" -s m -l message -r
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from boot" -l log-file -d 'Log to this file, too' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from boot" -l log-format -d 'How a line of the log looks' -r -f -a "text\t'As slapos.core writes it'
json\t'A JSON object'"
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from boot" -s v -l verbose -d 'Log details'
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from boot" -s q -l quiet -d 'Log warnings and errors only'
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from boot" -l debug -d 'Log details'
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from boot" -l log-color
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from boot" -l log-time
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from boot" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from bang" -l cfg -d 'slapos.cfg, instead of $SLAPOS_CONFIGURATION or /etc/opt/slapos/slapos.cfg' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from bang" -s m -l message -d 'Why; kept by the master' -r
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from bang" -l log-file -d 'Log to this file, too' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from bang" -l log-format -d 'How a line of the log looks' -r -f -a "text\t'As slapos.core writes it'
json\t'A JSON object'"
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from bang" -s v -l verbose -d 'Log details'
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from bang" -s q -l quiet -d 'Log warnings and errors only'
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from bang" -l debug -d 'Log details'
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from bang" -l log-color
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from bang" -l log-time
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from bang" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from supervisord" -l cfg -d 'slapos.cfg, instead of $SLAPOS_CONFIGURATION or /etc/opt/slapos/slapos.cfg' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from supervisord" -l log-file -d 'Log to this file, too' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from supervisord" -l log-format -d 'How a line of the log looks' -r -f -a "text\t'As slapos.core writes it'
json\t'A JSON object'"
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from supervisord" -s n -l nodaemon -d 'Stay in the foreground as supervisord'
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from supervisord" -s v -l verbose -d 'Log details'
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from supervisord" -s q -l quiet -d 'Log warnings and errors only'
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from supervisord" -l debug -d 'Log details'
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from supervisord" -l log-color
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from supervisord" -l log-time
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from supervisord" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from supervisorctl" -l cfg -d 'slapos.cfg, instead of $SLAPOS_CONFIGURATION or /etc/opt/slapos/slapos.cfg' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from supervisorctl" -l log-file -d 'Log to this file, too' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from supervisorctl" -l log-format -d 'How a line of the log looks' -r -f -a "text\t'As slapos.core writes it'
json\t'A JSON object'"
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from supervisorctl" -s v -l verbose -d 'Log details'
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from supervisorctl" -s q -l quiet -d 'Log warnings and errors only'
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from supervisorctl" -l debug -d 'Log details'
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from supervisorctl" -l log-color
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from supervisorctl" -l log-time
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from supervisorctl" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from status" -l cfg -d 'slapos.cfg, instead of $SLAPOS_CONFIGURATION or /etc/opt/slapos/slapos.cfg' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from status" -l log-file -d 'Log to this file, too' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from status" -l log-format -d 'How a line of the log looks' -r -f -a "text\t'As slapos.core writes it'
json\t'A JSON object'"
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from status" -s v -l verbose -d 'Log details'
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from status" -s q -l quiet -d 'Log warnings and errors only'
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from status" -l debug -d 'Log details'
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from status" -l log-color
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from status" -l log-time
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from status" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from start" -l cfg -d 'slapos.cfg, instead of $SLAPOS_CONFIGURATION or /etc/opt/slapos/slapos.cfg' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from start" -l log-file -d 'Log to this file, too' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from start" -l log-format -d 'How a line of the log looks' -r -f -a "text\t'As slapos.core writes it'
json\t'A JSON object'"
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from start" -s v -l verbose -d 'Log details'
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from start" -s q -l quiet -d 'Log warnings and errors only'
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from start" -l debug -d 'Log details'
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from start" -l log-color
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from start" -l log-time
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from start" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from stop" -l cfg -d 'slapos.cfg, instead of $SLAPOS_CONFIGURATION or /etc/opt/slapos/slapos.cfg' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from stop" -l log-file -d 'Log to this file, too' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from stop" -l log-format -d 'How a line of the log looks' -r -f -a "text\t'As slapos.core writes it'
json\t'A JSON object'"
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from stop" -s v -l verbose -d 'Log details'
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from stop" -s q -l quiet -d 'Log warnings and errors only'
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from stop" -l debug -d 'Log details'
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from stop" -l log-color
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from stop" -l log-time
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from stop" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from restart" -l cfg -d 'slapos.cfg, instead of $SLAPOS_CONFIGURATION or /etc/opt/slapos/slapos.cfg' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from restart" -l log-file -d 'Log to this file, too' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from restart" -l log-format -d 'How a line of the log looks' -r -f -a "text\t'As slapos.core writes it'
json\t'A JSON object'"
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from restart" -s v -l verbose -d 'Log details'
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from restart" -s q -l quiet -d 'Log warnings and errors only'
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from restart" -l debug -d 'Log details'
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from restart" -l log-color
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from restart" -l log-time
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from restart" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from tail" -l cfg -d 'slapos.cfg, instead of $SLAPOS_CONFIGURATION or /etc/opt/slapos/slapos.cfg' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from tail" -l log-file -d 'Log to this file, too' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from tail" -l log-format -d 'How a line of the log looks' -r -f -a "text\t'As slapos.core writes it'
json\t'A JSON object'"
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from tail" -s v -l verbose -d 'Log details'
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from tail" -s q -l quiet -d 'Log warnings and errors only'
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from tail" -l debug -d 'Log details'
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from tail" -l log-color
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from tail" -l log-time
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from tail" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from collect" -l log-file -d 'Log to this file, too' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from collect" -l log-format -d 'How a line of the log looks' -r -f -a "text\t'As slapos.core writes it'
json\t'A JSON object'"
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from collect" -s v -l verbose -d 'Log details'
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from collect" -s q -l quiet -d 'Log warnings and errors only'
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from collect" -l debug -d 'Log details'
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from collect" -l log-color
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from collect" -l log-time
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from collect" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from register" -l log-file -d 'Log to this file, too' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from register" -l log-format -d 'How a line of the log looks' -r -f -a "text\t'As slapos.core writes it'
json\t'A JSON object'"
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from register" -s v -l verbose -d 'Log details'
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from register" -s q -l quiet -d 'Log warnings and errors only'
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from register" -l debug -d 'Log details'
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from register" -l log-color
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from register" -l log-time
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from register" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from help" -f -a "format" -d 'Prepare the machine: slapformat'
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from help" -f -a "software" -d 'Install and remove software releases: slapgrid-sr'
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from help" -f -a "instance" -d 'Make partitions run their instances: slapgrid-cp'
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from help" -f -a "report" -d 'Report usage, and empty partitions that are no longer wanted: slapgrid-ur'
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from help" -f -a "promise" -d 'Only check promises: slapgrid-cp --promises-only'
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from help" -f -a "prune" -d 'Only remove shared parts that nothing uses: slapgrid-sr --prune'
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from help" -f -a "boot" -d 'After the start of the machine: prepare it until the master knows, start the services that are known, and have every instance processed again'
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from help" -f -a "bang" -d 'Have every instance of this computer processed again: slapos-bang'
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from help" -f -a "supervisord" -d 'Start supervisord, if it does not run: slapgrid-supervisord'
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from help" -f -a "supervisorctl" -d 'Run supervisorctl: slapgrid-supervisorctl'
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from help" -f -a "status" -d 'Show services: supervisorctl status'
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from help" -f -a "start" -d 'Start services: supervisorctl start'
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from help" -f -a "stop" -d 'Stop services: supervisorctl stop'
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from help" -f -a "restart" -d 'Restart services: supervisorctl restart'
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from help" -f -a "tail" -d 'Show what a service has written: supervisorctl tail'
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from help" -f -a "collect" -d 'Not here: slapgrid\'s --metrics-file tells how the node does'
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from help" -f -a "register" -d 'Not here: the web panel of the master registers computers'
complete -c slapos -n "__fish_slapos_using_subcommand node; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c slapos -n "__fish_slapos_using_subcommand proxy; and not __fish_seen_subcommand_from start show help" -l log-file -d 'Log to this file, too' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand proxy; and not __fish_seen_subcommand_from start show help" -l log-format -d 'How a line of the log looks' -r -f -a "text\t'As slapos.core writes it'
json\t'A JSON object'"
complete -c slapos -n "__fish_slapos_using_subcommand proxy; and not __fish_seen_subcommand_from start show help" -s v -l verbose -d 'Log details'
complete -c slapos -n "__fish_slapos_using_subcommand proxy; and not __fish_seen_subcommand_from start show help" -s q -l quiet -d 'Log warnings and errors only'
complete -c slapos -n "__fish_slapos_using_subcommand proxy; and not __fish_seen_subcommand_from start show help" -l debug -d 'Log details'
complete -c slapos -n "__fish_slapos_using_subcommand proxy; and not __fish_seen_subcommand_from start show help" -l log-color
complete -c slapos -n "__fish_slapos_using_subcommand proxy; and not __fish_seen_subcommand_from start show help" -l log-time
complete -c slapos -n "__fish_slapos_using_subcommand proxy; and not __fish_seen_subcommand_from start show help" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c slapos -n "__fish_slapos_using_subcommand proxy; and not __fish_seen_subcommand_from start show help" -f -a "start" -d 'Serve: slapproxy'
complete -c slapos -n "__fish_slapos_using_subcommand proxy; and not __fish_seen_subcommand_from start show help" -f -a "show" -d 'Show what the database holds: slapproxy show'
complete -c slapos -n "__fish_slapos_using_subcommand proxy; and not __fish_seen_subcommand_from start show help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c slapos -n "__fish_slapos_using_subcommand proxy; and __fish_seen_subcommand_from start" -l cfg -d 'slapos.cfg, instead of $SLAPOS_CONFIGURATION or /etc/opt/slapos/slapos.cfg' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand proxy; and __fish_seen_subcommand_from start" -s u -l database-uri -d 'The database, instead of database_uri of section slapproxy' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand proxy; and __fish_seen_subcommand_from start" -l listen -d 'Listen there instead of host and port: ADDRESS:PORT or unix:PATH; may be repeated' -r
complete -c slapos -n "__fish_slapos_using_subcommand proxy; and __fish_seen_subcommand_from start" -l host -d 'Listen there only, instead of listen and host of section slapproxy' -r
complete -c slapos -n "__fish_slapos_using_subcommand proxy; and __fish_seen_subcommand_from start" -l port -d 'Listen there only, instead of listen and port of section slapproxy' -r
complete -c slapos -n "__fish_slapos_using_subcommand proxy; and __fish_seen_subcommand_from start" -l local-software-release-root -d 'Where local releases are, if they may move' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand proxy; and __fish_seen_subcommand_from start" -l log-file -d 'Log to this file, too' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand proxy; and __fish_seen_subcommand_from start" -l log-format -d 'How a line of the log looks' -r -f -a "text\t'As slapos.core writes it'
json\t'A JSON object'"
complete -c slapos -n "__fish_slapos_using_subcommand proxy; and __fish_seen_subcommand_from start" -l insecure-listen -d 'Serve other machines, although anyone who reaches the address can command the nodes'
complete -c slapos -n "__fish_slapos_using_subcommand proxy; and __fish_seen_subcommand_from start" -s v -l verbose -d 'Log details'
complete -c slapos -n "__fish_slapos_using_subcommand proxy; and __fish_seen_subcommand_from start" -s q -l quiet -d 'Log warnings and errors only'
complete -c slapos -n "__fish_slapos_using_subcommand proxy; and __fish_seen_subcommand_from start" -l debug -d 'Log details'
complete -c slapos -n "__fish_slapos_using_subcommand proxy; and __fish_seen_subcommand_from start" -l log-color
complete -c slapos -n "__fish_slapos_using_subcommand proxy; and __fish_seen_subcommand_from start" -l log-time
complete -c slapos -n "__fish_slapos_using_subcommand proxy; and __fish_seen_subcommand_from start" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c slapos -n "__fish_slapos_using_subcommand proxy; and __fish_seen_subcommand_from show" -l cfg -d 'slapos.cfg, instead of $SLAPOS_CONFIGURATION or /etc/opt/slapos/slapos.cfg' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand proxy; and __fish_seen_subcommand_from show" -s u -l database-uri -d 'The database, instead of database_uri of section slapproxy' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand proxy; and __fish_seen_subcommand_from show" -l log-file -d 'Log to this file, too' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand proxy; and __fish_seen_subcommand_from show" -l log-format -d 'How a line of the log looks' -r -f -a "text\t'As slapos.core writes it'
json\t'A JSON object'"
complete -c slapos -n "__fish_slapos_using_subcommand proxy; and __fish_seen_subcommand_from show" -l computers -d 'Computers that described themselves'
complete -c slapos -n "__fish_slapos_using_subcommand proxy; and __fish_seen_subcommand_from show" -l software -d 'Releases that computers shall have or lose'
complete -c slapos -n "__fish_slapos_using_subcommand proxy; and __fish_seen_subcommand_from show" -l partitions -d 'Partitions that hold an instance'
complete -c slapos -n "__fish_slapos_using_subcommand proxy; and __fish_seen_subcommand_from show" -l slaves -d 'Slaves'
complete -c slapos -n "__fish_slapos_using_subcommand proxy; and __fish_seen_subcommand_from show" -l params -d 'Connection parameters that instances published'
complete -c slapos -n "__fish_slapos_using_subcommand proxy; and __fish_seen_subcommand_from show" -l network -d 'Addresses of the partitions that hold an instance'
complete -c slapos -n "__fish_slapos_using_subcommand proxy; and __fish_seen_subcommand_from show" -l reports -d 'What nodes reported last of each release and instance'
complete -c slapos -n "__fish_slapos_using_subcommand proxy; and __fish_seen_subcommand_from show" -l unrequested -d 'Instances that are kept although they are no longer requested'
complete -c slapos -n "__fish_slapos_using_subcommand proxy; and __fish_seen_subcommand_from show" -l json -d 'Print one JSON object'
complete -c slapos -n "__fish_slapos_using_subcommand proxy; and __fish_seen_subcommand_from show" -s v -l verbose -d 'Log details'
complete -c slapos -n "__fish_slapos_using_subcommand proxy; and __fish_seen_subcommand_from show" -s q -l quiet -d 'Log warnings and errors only'
complete -c slapos -n "__fish_slapos_using_subcommand proxy; and __fish_seen_subcommand_from show" -l debug -d 'Log details'
complete -c slapos -n "__fish_slapos_using_subcommand proxy; and __fish_seen_subcommand_from show" -l log-color
complete -c slapos -n "__fish_slapos_using_subcommand proxy; and __fish_seen_subcommand_from show" -l log-time
complete -c slapos -n "__fish_slapos_using_subcommand proxy; and __fish_seen_subcommand_from show" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c slapos -n "__fish_slapos_using_subcommand proxy; and __fish_seen_subcommand_from help" -f -a "start" -d 'Serve: slapproxy'
complete -c slapos -n "__fish_slapos_using_subcommand proxy; and __fish_seen_subcommand_from help" -f -a "show" -d 'Show what the database holds: slapproxy show'
complete -c slapos -n "__fish_slapos_using_subcommand proxy; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c slapos -n "__fish_slapos_using_subcommand cachelookup; and not __fish_seen_subcommand_from binary-sr url pypi help" -l log-file -d 'Log to this file, too' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand cachelookup; and not __fish_seen_subcommand_from binary-sr url pypi help" -l log-format -d 'How a line of the log looks' -r -f -a "text\t'As slapos.core writes it'
json\t'A JSON object'"
complete -c slapos -n "__fish_slapos_using_subcommand cachelookup; and not __fish_seen_subcommand_from binary-sr url pypi help" -s v -l verbose -d 'Log details'
complete -c slapos -n "__fish_slapos_using_subcommand cachelookup; and not __fish_seen_subcommand_from binary-sr url pypi help" -s q -l quiet -d 'Log warnings and errors only'
complete -c slapos -n "__fish_slapos_using_subcommand cachelookup; and not __fish_seen_subcommand_from binary-sr url pypi help" -l debug -d 'Log details'
complete -c slapos -n "__fish_slapos_using_subcommand cachelookup; and not __fish_seen_subcommand_from binary-sr url pypi help" -l log-color
complete -c slapos -n "__fish_slapos_using_subcommand cachelookup; and not __fish_seen_subcommand_from binary-sr url pypi help" -l log-time
complete -c slapos -n "__fish_slapos_using_subcommand cachelookup; and not __fish_seen_subcommand_from binary-sr url pypi help" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c slapos -n "__fish_slapos_using_subcommand cachelookup; and not __fish_seen_subcommand_from binary-sr url pypi help" -f -a "binary-sr" -d 'Archives of a software release, and which of them this node could use'
complete -c slapos -n "__fish_slapos_using_subcommand cachelookup; and not __fish_seen_subcommand_from binary-sr url pypi help" -f -a "url" -d 'A file that buildout downloads'
complete -c slapos -n "__fish_slapos_using_subcommand cachelookup; and not __fish_seen_subcommand_from binary-sr url pypi help" -f -a "pypi" -d 'Not here: cachelookup url tells of each file'
complete -c slapos -n "__fish_slapos_using_subcommand cachelookup; and not __fish_seen_subcommand_from binary-sr url pypi help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c slapos -n "__fish_slapos_using_subcommand cachelookup; and __fish_seen_subcommand_from binary-sr" -l cfg -d 'slapos.cfg, instead of $SLAPOS_CONFIGURATION or /etc/opt/slapos/slapos.cfg' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand cachelookup; and __fish_seen_subcommand_from binary-sr" -l log-file -d 'Log to this file, too' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand cachelookup; and __fish_seen_subcommand_from binary-sr" -l log-format -d 'How a line of the log looks' -r -f -a "text\t'As slapos.core writes it'
json\t'A JSON object'"
complete -c slapos -n "__fish_slapos_using_subcommand cachelookup; and __fish_seen_subcommand_from binary-sr" -s v -l verbose -d 'Log details'
complete -c slapos -n "__fish_slapos_using_subcommand cachelookup; and __fish_seen_subcommand_from binary-sr" -s q -l quiet -d 'Log warnings and errors only'
complete -c slapos -n "__fish_slapos_using_subcommand cachelookup; and __fish_seen_subcommand_from binary-sr" -l debug -d 'Log details'
complete -c slapos -n "__fish_slapos_using_subcommand cachelookup; and __fish_seen_subcommand_from binary-sr" -l log-color
complete -c slapos -n "__fish_slapos_using_subcommand cachelookup; and __fish_seen_subcommand_from binary-sr" -l log-time
complete -c slapos -n "__fish_slapos_using_subcommand cachelookup; and __fish_seen_subcommand_from binary-sr" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c slapos -n "__fish_slapos_using_subcommand cachelookup; and __fish_seen_subcommand_from url" -l cfg -d 'slapos.cfg, instead of $SLAPOS_CONFIGURATION or /etc/opt/slapos/slapos.cfg' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand cachelookup; and __fish_seen_subcommand_from url" -l log-file -d 'Log to this file, too' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand cachelookup; and __fish_seen_subcommand_from url" -l log-format -d 'How a line of the log looks' -r -f -a "text\t'As slapos.core writes it'
json\t'A JSON object'"
complete -c slapos -n "__fish_slapos_using_subcommand cachelookup; and __fish_seen_subcommand_from url" -s v -l verbose -d 'Log details'
complete -c slapos -n "__fish_slapos_using_subcommand cachelookup; and __fish_seen_subcommand_from url" -s q -l quiet -d 'Log warnings and errors only'
complete -c slapos -n "__fish_slapos_using_subcommand cachelookup; and __fish_seen_subcommand_from url" -l debug -d 'Log details'
complete -c slapos -n "__fish_slapos_using_subcommand cachelookup; and __fish_seen_subcommand_from url" -l log-color
complete -c slapos -n "__fish_slapos_using_subcommand cachelookup; and __fish_seen_subcommand_from url" -l log-time
complete -c slapos -n "__fish_slapos_using_subcommand cachelookup; and __fish_seen_subcommand_from url" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c slapos -n "__fish_slapos_using_subcommand cachelookup; and __fish_seen_subcommand_from pypi" -l log-file -d 'Log to this file, too' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand cachelookup; and __fish_seen_subcommand_from pypi" -l log-format -d 'How a line of the log looks' -r -f -a "text\t'As slapos.core writes it'
json\t'A JSON object'"
complete -c slapos -n "__fish_slapos_using_subcommand cachelookup; and __fish_seen_subcommand_from pypi" -s v -l verbose -d 'Log details'
complete -c slapos -n "__fish_slapos_using_subcommand cachelookup; and __fish_seen_subcommand_from pypi" -s q -l quiet -d 'Log warnings and errors only'
complete -c slapos -n "__fish_slapos_using_subcommand cachelookup; and __fish_seen_subcommand_from pypi" -l debug -d 'Log details'
complete -c slapos -n "__fish_slapos_using_subcommand cachelookup; and __fish_seen_subcommand_from pypi" -l log-color
complete -c slapos -n "__fish_slapos_using_subcommand cachelookup; and __fish_seen_subcommand_from pypi" -l log-time
complete -c slapos -n "__fish_slapos_using_subcommand cachelookup; and __fish_seen_subcommand_from pypi" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c slapos -n "__fish_slapos_using_subcommand cachelookup; and __fish_seen_subcommand_from help" -f -a "binary-sr" -d 'Archives of a software release, and which of them this node could use'
complete -c slapos -n "__fish_slapos_using_subcommand cachelookup; and __fish_seen_subcommand_from help" -f -a "url" -d 'A file that buildout downloads'
complete -c slapos -n "__fish_slapos_using_subcommand cachelookup; and __fish_seen_subcommand_from help" -f -a "pypi" -d 'Not here: cachelookup url tells of each file'
complete -c slapos -n "__fish_slapos_using_subcommand cachelookup; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c slapos -n "__fish_slapos_using_subcommand request" -l cfg -d 'slapos.cfg, instead of $SLAPOS_CLIENT_CONFIGURATION or ~/.slapos/slapos-client.cfg' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand request" -s u -l master-url -d 'URL of the master, instead of master_url of section slapos' -r
complete -c slapos -n "__fish_slapos_using_subcommand request" -s k -l key-file -d 'Private key of the user, instead of key_file of section slapconsole' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand request" -s c -l cert-file -d 'Certificate of the user, instead of cert_file of section slapconsole' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand request" -l parameters -d 'Parameters of the instance; they win over those of the file' -r
complete -c slapos -n "__fish_slapos_using_subcommand request" -l parameters-file -d 'Parameters from a file: .yaml, .xml (an instance document), or else JSON; - for standard input, whose kind its beginning tells' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand request" -l force-serialisation -d 'How to send the values of a JSON or YAML file, instead of as the release says in URL.json' -r -f -a "xml\t'Each one for itself'
json-in-xml\t'All of them as one JSON text'"
complete -c slapos -n "__fish_slapos_using_subcommand request" -l type -d 'Type of the instance' -r
complete -c slapos -n "__fish_slapos_using_subcommand request" -l node -d 'Where to place it, e.g. computer_guid=COMP-1' -r
complete -c slapos -n "__fish_slapos_using_subcommand request" -l state -d 'The wanted state' -r -f -a "started\t''
stopped\t''
destroyed\t''"
complete -c slapos -n "__fish_slapos_using_subcommand request" -l wait -d 'Wait until the instance has published connection parameters, for ever or for some seconds' -r
complete -c slapos -n "__fish_slapos_using_subcommand request" -l log-file -d 'Log to this file, too' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand request" -l log-format -d 'How a line of the log looks' -r -f -a "text\t'As slapos.core writes it'
json\t'A JSON object'"
complete -c slapos -n "__fish_slapos_using_subcommand request" -l slave -d 'Request a slave of an instance instead of an instance'
complete -c slapos -n "__fish_slapos_using_subcommand request" -l json -d 'Print one JSON object; nothing while the instance is not there'
complete -c slapos -n "__fish_slapos_using_subcommand request" -s v -l verbose -d 'Log details'
complete -c slapos -n "__fish_slapos_using_subcommand request" -s q -l quiet -d 'Log warnings and errors only'
complete -c slapos -n "__fish_slapos_using_subcommand request" -l debug -d 'Log details'
complete -c slapos -n "__fish_slapos_using_subcommand request" -l log-color
complete -c slapos -n "__fish_slapos_using_subcommand request" -l log-time
complete -c slapos -n "__fish_slapos_using_subcommand request" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c slapos -n "__fish_slapos_using_subcommand supply" -l cfg -d 'slapos.cfg, instead of $SLAPOS_CLIENT_CONFIGURATION or ~/.slapos/slapos-client.cfg' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand supply" -s u -l master-url -d 'URL of the master, instead of master_url of section slapos' -r
complete -c slapos -n "__fish_slapos_using_subcommand supply" -s k -l key-file -d 'Private key of the user, instead of key_file of section slapconsole' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand supply" -s c -l cert-file -d 'Certificate of the user, instead of cert_file of section slapconsole' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand supply" -l log-file -d 'Log to this file, too' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand supply" -l log-format -d 'How a line of the log looks' -r -f -a "text\t'As slapos.core writes it'
json\t'A JSON object'"
complete -c slapos -n "__fish_slapos_using_subcommand supply" -l json -d 'Print one JSON object'
complete -c slapos -n "__fish_slapos_using_subcommand supply" -s v -l verbose -d 'Log details'
complete -c slapos -n "__fish_slapos_using_subcommand supply" -s q -l quiet -d 'Log warnings and errors only'
complete -c slapos -n "__fish_slapos_using_subcommand supply" -l debug -d 'Log details'
complete -c slapos -n "__fish_slapos_using_subcommand supply" -l log-color
complete -c slapos -n "__fish_slapos_using_subcommand supply" -l log-time
complete -c slapos -n "__fish_slapos_using_subcommand supply" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c slapos -n "__fish_slapos_using_subcommand remove" -l cfg -d 'slapos.cfg, instead of $SLAPOS_CLIENT_CONFIGURATION or ~/.slapos/slapos-client.cfg' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand remove" -s u -l master-url -d 'URL of the master, instead of master_url of section slapos' -r
complete -c slapos -n "__fish_slapos_using_subcommand remove" -s k -l key-file -d 'Private key of the user, instead of key_file of section slapconsole' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand remove" -s c -l cert-file -d 'Certificate of the user, instead of cert_file of section slapconsole' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand remove" -l log-file -d 'Log to this file, too' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand remove" -l log-format -d 'How a line of the log looks' -r -f -a "text\t'As slapos.core writes it'
json\t'A JSON object'"
complete -c slapos -n "__fish_slapos_using_subcommand remove" -l json -d 'Print one JSON object'
complete -c slapos -n "__fish_slapos_using_subcommand remove" -s v -l verbose -d 'Log details'
complete -c slapos -n "__fish_slapos_using_subcommand remove" -s q -l quiet -d 'Log warnings and errors only'
complete -c slapos -n "__fish_slapos_using_subcommand remove" -l debug -d 'Log details'
complete -c slapos -n "__fish_slapos_using_subcommand remove" -l log-color
complete -c slapos -n "__fish_slapos_using_subcommand remove" -l log-time
complete -c slapos -n "__fish_slapos_using_subcommand remove" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c slapos -n "__fish_slapos_using_subcommand console" -l cfg -d 'slapos.cfg, instead of $SLAPOS_CLIENT_CONFIGURATION or ~/.slapos/slapos-client.cfg' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand console" -s u -l master-url -d 'URL of the master, instead of master_url of section slapos' -r
complete -c slapos -n "__fish_slapos_using_subcommand console" -s k -l key-file -d 'Private key of the user, instead of key_file of section slapconsole' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand console" -s c -l cert-file -d 'Certificate of the user, instead of cert_file of section slapconsole' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand console" -s e -l expression -d 'Run this and print its value, without a prompt' -r
complete -c slapos -n "__fish_slapos_using_subcommand console" -l log-file -d 'Log to this file, too' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand console" -l log-format -d 'How a line of the log looks' -r -f -a "text\t'As slapos.core writes it'
json\t'A JSON object'"
complete -c slapos -n "__fish_slapos_using_subcommand console" -s i -l ipython
complete -c slapos -n "__fish_slapos_using_subcommand console" -s b -l bpython
complete -c slapos -n "__fish_slapos_using_subcommand console" -s p -l python
complete -c slapos -n "__fish_slapos_using_subcommand console" -s v -l verbose -d 'Log details'
complete -c slapos -n "__fish_slapos_using_subcommand console" -s q -l quiet -d 'Log warnings and errors only'
complete -c slapos -n "__fish_slapos_using_subcommand console" -l debug -d 'Log details'
complete -c slapos -n "__fish_slapos_using_subcommand console" -l log-color
complete -c slapos -n "__fish_slapos_using_subcommand console" -l log-time
complete -c slapos -n "__fish_slapos_using_subcommand console" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c slapos -n "__fish_slapos_using_subcommand service; and not __fish_seen_subcommand_from list info help" -l log-file -d 'Log to this file, too' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand service; and not __fish_seen_subcommand_from list info help" -l log-format -d 'How a line of the log looks' -r -f -a "text\t'As slapos.core writes it'
json\t'A JSON object'"
complete -c slapos -n "__fish_slapos_using_subcommand service; and not __fish_seen_subcommand_from list info help" -s v -l verbose -d 'Log details'
complete -c slapos -n "__fish_slapos_using_subcommand service; and not __fish_seen_subcommand_from list info help" -s q -l quiet -d 'Log warnings and errors only'
complete -c slapos -n "__fish_slapos_using_subcommand service; and not __fish_seen_subcommand_from list info help" -l debug -d 'Log details'
complete -c slapos -n "__fish_slapos_using_subcommand service; and not __fish_seen_subcommand_from list info help" -l log-color
complete -c slapos -n "__fish_slapos_using_subcommand service; and not __fish_seen_subcommand_from list info help" -l log-time
complete -c slapos -n "__fish_slapos_using_subcommand service; and not __fish_seen_subcommand_from list info help" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c slapos -n "__fish_slapos_using_subcommand service; and not __fish_seen_subcommand_from list info help" -f -a "list" -d 'Print the names and releases of your instances, as JSON'
complete -c slapos -n "__fish_slapos_using_subcommand service; and not __fish_seen_subcommand_from list info help" -f -a "info" -d 'Print what is known of an instance, as JSON'
complete -c slapos -n "__fish_slapos_using_subcommand service; and not __fish_seen_subcommand_from list info help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c slapos -n "__fish_slapos_using_subcommand service; and __fish_seen_subcommand_from list" -l cfg -d 'slapos.cfg, instead of $SLAPOS_CLIENT_CONFIGURATION or ~/.slapos/slapos-client.cfg' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand service; and __fish_seen_subcommand_from list" -s u -l master-url -d 'URL of the master, instead of master_url of section slapos' -r
complete -c slapos -n "__fish_slapos_using_subcommand service; and __fish_seen_subcommand_from list" -s k -l key-file -d 'Private key of the user, instead of key_file of section slapconsole' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand service; and __fish_seen_subcommand_from list" -s c -l cert-file -d 'Certificate of the user, instead of cert_file of section slapconsole' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand service; and __fish_seen_subcommand_from list" -l log-file -d 'Log to this file, too' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand service; and __fish_seen_subcommand_from list" -l log-format -d 'How a line of the log looks' -r -f -a "text\t'As slapos.core writes it'
json\t'A JSON object'"
complete -c slapos -n "__fish_slapos_using_subcommand service; and __fish_seen_subcommand_from list" -s v -l verbose -d 'Log details'
complete -c slapos -n "__fish_slapos_using_subcommand service; and __fish_seen_subcommand_from list" -s q -l quiet -d 'Log warnings and errors only'
complete -c slapos -n "__fish_slapos_using_subcommand service; and __fish_seen_subcommand_from list" -l debug -d 'Log details'
complete -c slapos -n "__fish_slapos_using_subcommand service; and __fish_seen_subcommand_from list" -l log-color
complete -c slapos -n "__fish_slapos_using_subcommand service; and __fish_seen_subcommand_from list" -l log-time
complete -c slapos -n "__fish_slapos_using_subcommand service; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c slapos -n "__fish_slapos_using_subcommand service; and __fish_seen_subcommand_from info" -l cfg -d 'slapos.cfg, instead of $SLAPOS_CLIENT_CONFIGURATION or ~/.slapos/slapos-client.cfg' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand service; and __fish_seen_subcommand_from info" -s u -l master-url -d 'URL of the master, instead of master_url of section slapos' -r
complete -c slapos -n "__fish_slapos_using_subcommand service; and __fish_seen_subcommand_from info" -s k -l key-file -d 'Private key of the user, instead of key_file of section slapconsole' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand service; and __fish_seen_subcommand_from info" -s c -l cert-file -d 'Certificate of the user, instead of cert_file of section slapconsole' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand service; and __fish_seen_subcommand_from info" -l log-file -d 'Log to this file, too' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand service; and __fish_seen_subcommand_from info" -l log-format -d 'How a line of the log looks' -r -f -a "text\t'As slapos.core writes it'
json\t'A JSON object'"
complete -c slapos -n "__fish_slapos_using_subcommand service; and __fish_seen_subcommand_from info" -l news -d 'What nodes reported, too'
complete -c slapos -n "__fish_slapos_using_subcommand service; and __fish_seen_subcommand_from info" -s v -l verbose -d 'Log details'
complete -c slapos -n "__fish_slapos_using_subcommand service; and __fish_seen_subcommand_from info" -s q -l quiet -d 'Log warnings and errors only'
complete -c slapos -n "__fish_slapos_using_subcommand service; and __fish_seen_subcommand_from info" -l debug -d 'Log details'
complete -c slapos -n "__fish_slapos_using_subcommand service; and __fish_seen_subcommand_from info" -l log-color
complete -c slapos -n "__fish_slapos_using_subcommand service; and __fish_seen_subcommand_from info" -l log-time
complete -c slapos -n "__fish_slapos_using_subcommand service; and __fish_seen_subcommand_from info" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c slapos -n "__fish_slapos_using_subcommand service; and __fish_seen_subcommand_from help" -f -a "list" -d 'Print the names and releases of your instances, as JSON'
complete -c slapos -n "__fish_slapos_using_subcommand service; and __fish_seen_subcommand_from help" -f -a "info" -d 'Print what is known of an instance, as JSON'
complete -c slapos -n "__fish_slapos_using_subcommand service; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c slapos -n "__fish_slapos_using_subcommand computer; and not __fish_seen_subcommand_from list info token help" -l log-file -d 'Log to this file, too' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand computer; and not __fish_seen_subcommand_from list info token help" -l log-format -d 'How a line of the log looks' -r -f -a "text\t'As slapos.core writes it'
json\t'A JSON object'"
complete -c slapos -n "__fish_slapos_using_subcommand computer; and not __fish_seen_subcommand_from list info token help" -s v -l verbose -d 'Log details'
complete -c slapos -n "__fish_slapos_using_subcommand computer; and not __fish_seen_subcommand_from list info token help" -s q -l quiet -d 'Log warnings and errors only'
complete -c slapos -n "__fish_slapos_using_subcommand computer; and not __fish_seen_subcommand_from list info token help" -l debug -d 'Log details'
complete -c slapos -n "__fish_slapos_using_subcommand computer; and not __fish_seen_subcommand_from list info token help" -l log-color
complete -c slapos -n "__fish_slapos_using_subcommand computer; and not __fish_seen_subcommand_from list info token help" -l log-time
complete -c slapos -n "__fish_slapos_using_subcommand computer; and not __fish_seen_subcommand_from list info token help" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c slapos -n "__fish_slapos_using_subcommand computer; and not __fish_seen_subcommand_from list info token help" -f -a "list" -d 'Print the references and names of your computers'
complete -c slapos -n "__fish_slapos_using_subcommand computer; and not __fish_seen_subcommand_from list info token help" -f -a "info" -d 'Print reference and name of a computer'
complete -c slapos -n "__fish_slapos_using_subcommand computer; and not __fish_seen_subcommand_from list info token help" -f -a "token" -d 'Print a token that registers a computer'
complete -c slapos -n "__fish_slapos_using_subcommand computer; and not __fish_seen_subcommand_from list info token help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c slapos -n "__fish_slapos_using_subcommand computer; and __fish_seen_subcommand_from list" -l cfg -d 'slapos.cfg, instead of $SLAPOS_CLIENT_CONFIGURATION or ~/.slapos/slapos-client.cfg' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand computer; and __fish_seen_subcommand_from list" -s u -l master-url -d 'URL of the master, instead of master_url of section slapos' -r
complete -c slapos -n "__fish_slapos_using_subcommand computer; and __fish_seen_subcommand_from list" -s k -l key-file -d 'Private key of the user, instead of key_file of section slapconsole' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand computer; and __fish_seen_subcommand_from list" -s c -l cert-file -d 'Certificate of the user, instead of cert_file of section slapconsole' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand computer; and __fish_seen_subcommand_from list" -l log-file -d 'Log to this file, too' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand computer; and __fish_seen_subcommand_from list" -l log-format -d 'How a line of the log looks' -r -f -a "text\t'As slapos.core writes it'
json\t'A JSON object'"
complete -c slapos -n "__fish_slapos_using_subcommand computer; and __fish_seen_subcommand_from list" -s v -l verbose -d 'Log details'
complete -c slapos -n "__fish_slapos_using_subcommand computer; and __fish_seen_subcommand_from list" -s q -l quiet -d 'Log warnings and errors only'
complete -c slapos -n "__fish_slapos_using_subcommand computer; and __fish_seen_subcommand_from list" -l debug -d 'Log details'
complete -c slapos -n "__fish_slapos_using_subcommand computer; and __fish_seen_subcommand_from list" -l log-color
complete -c slapos -n "__fish_slapos_using_subcommand computer; and __fish_seen_subcommand_from list" -l log-time
complete -c slapos -n "__fish_slapos_using_subcommand computer; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c slapos -n "__fish_slapos_using_subcommand computer; and __fish_seen_subcommand_from info" -l cfg -d 'slapos.cfg, instead of $SLAPOS_CLIENT_CONFIGURATION or ~/.slapos/slapos-client.cfg' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand computer; and __fish_seen_subcommand_from info" -s u -l master-url -d 'URL of the master, instead of master_url of section slapos' -r
complete -c slapos -n "__fish_slapos_using_subcommand computer; and __fish_seen_subcommand_from info" -s k -l key-file -d 'Private key of the user, instead of key_file of section slapconsole' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand computer; and __fish_seen_subcommand_from info" -s c -l cert-file -d 'Certificate of the user, instead of cert_file of section slapconsole' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand computer; and __fish_seen_subcommand_from info" -l log-file -d 'Log to this file, too' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand computer; and __fish_seen_subcommand_from info" -l log-format -d 'How a line of the log looks' -r -f -a "text\t'As slapos.core writes it'
json\t'A JSON object'"
complete -c slapos -n "__fish_slapos_using_subcommand computer; and __fish_seen_subcommand_from info" -s v -l verbose -d 'Log details'
complete -c slapos -n "__fish_slapos_using_subcommand computer; and __fish_seen_subcommand_from info" -s q -l quiet -d 'Log warnings and errors only'
complete -c slapos -n "__fish_slapos_using_subcommand computer; and __fish_seen_subcommand_from info" -l debug -d 'Log details'
complete -c slapos -n "__fish_slapos_using_subcommand computer; and __fish_seen_subcommand_from info" -l log-color
complete -c slapos -n "__fish_slapos_using_subcommand computer; and __fish_seen_subcommand_from info" -l log-time
complete -c slapos -n "__fish_slapos_using_subcommand computer; and __fish_seen_subcommand_from info" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c slapos -n "__fish_slapos_using_subcommand computer; and __fish_seen_subcommand_from token" -l cfg -d 'slapos.cfg, instead of $SLAPOS_CLIENT_CONFIGURATION or ~/.slapos/slapos-client.cfg' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand computer; and __fish_seen_subcommand_from token" -s u -l master-url -d 'URL of the master, instead of master_url of section slapos' -r
complete -c slapos -n "__fish_slapos_using_subcommand computer; and __fish_seen_subcommand_from token" -s k -l key-file -d 'Private key of the user, instead of key_file of section slapconsole' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand computer; and __fish_seen_subcommand_from token" -s c -l cert-file -d 'Certificate of the user, instead of cert_file of section slapconsole' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand computer; and __fish_seen_subcommand_from token" -l log-file -d 'Log to this file, too' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand computer; and __fish_seen_subcommand_from token" -l log-format -d 'How a line of the log looks' -r -f -a "text\t'As slapos.core writes it'
json\t'A JSON object'"
complete -c slapos -n "__fish_slapos_using_subcommand computer; and __fish_seen_subcommand_from token" -s v -l verbose -d 'Log details'
complete -c slapos -n "__fish_slapos_using_subcommand computer; and __fish_seen_subcommand_from token" -s q -l quiet -d 'Log warnings and errors only'
complete -c slapos -n "__fish_slapos_using_subcommand computer; and __fish_seen_subcommand_from token" -l debug -d 'Log details'
complete -c slapos -n "__fish_slapos_using_subcommand computer; and __fish_seen_subcommand_from token" -l log-color
complete -c slapos -n "__fish_slapos_using_subcommand computer; and __fish_seen_subcommand_from token" -l log-time
complete -c slapos -n "__fish_slapos_using_subcommand computer; and __fish_seen_subcommand_from token" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c slapos -n "__fish_slapos_using_subcommand computer; and __fish_seen_subcommand_from help" -f -a "list" -d 'Print the references and names of your computers'
complete -c slapos -n "__fish_slapos_using_subcommand computer; and __fish_seen_subcommand_from help" -f -a "info" -d 'Print reference and name of a computer'
complete -c slapos -n "__fish_slapos_using_subcommand computer; and __fish_seen_subcommand_from help" -f -a "token" -d 'Print a token that registers a computer'
complete -c slapos -n "__fish_slapos_using_subcommand computer; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c slapos -n "__fish_slapos_using_subcommand configure; and not __fish_seen_subcommand_from local client help" -l log-file -d 'Log to this file, too' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand configure; and not __fish_seen_subcommand_from local client help" -l log-format -d 'How a line of the log looks' -r -f -a "text\t'As slapos.core writes it'
json\t'A JSON object'"
complete -c slapos -n "__fish_slapos_using_subcommand configure; and not __fish_seen_subcommand_from local client help" -s v -l verbose -d 'Log details'
complete -c slapos -n "__fish_slapos_using_subcommand configure; and not __fish_seen_subcommand_from local client help" -s q -l quiet -d 'Log warnings and errors only'
complete -c slapos -n "__fish_slapos_using_subcommand configure; and not __fish_seen_subcommand_from local client help" -l debug -d 'Log details'
complete -c slapos -n "__fish_slapos_using_subcommand configure; and not __fish_seen_subcommand_from local client help" -l log-color
complete -c slapos -n "__fish_slapos_using_subcommand configure; and not __fish_seen_subcommand_from local client help" -l log-time
complete -c slapos -n "__fish_slapos_using_subcommand configure; and not __fish_seen_subcommand_from local client help" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c slapos -n "__fish_slapos_using_subcommand configure; and not __fish_seen_subcommand_from local client help" -f -a "local" -d 'Not here: write slapos.cfg by its example'
complete -c slapos -n "__fish_slapos_using_subcommand configure; and not __fish_seen_subcommand_from local client help" -f -a "client" -d 'Not here: name certificate and key of the user in section slapconsole'
complete -c slapos -n "__fish_slapos_using_subcommand configure; and not __fish_seen_subcommand_from local client help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c slapos -n "__fish_slapos_using_subcommand configure; and __fish_seen_subcommand_from local" -l log-file -d 'Log to this file, too' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand configure; and __fish_seen_subcommand_from local" -l log-format -d 'How a line of the log looks' -r -f -a "text\t'As slapos.core writes it'
json\t'A JSON object'"
complete -c slapos -n "__fish_slapos_using_subcommand configure; and __fish_seen_subcommand_from local" -s v -l verbose -d 'Log details'
complete -c slapos -n "__fish_slapos_using_subcommand configure; and __fish_seen_subcommand_from local" -s q -l quiet -d 'Log warnings and errors only'
complete -c slapos -n "__fish_slapos_using_subcommand configure; and __fish_seen_subcommand_from local" -l debug -d 'Log details'
complete -c slapos -n "__fish_slapos_using_subcommand configure; and __fish_seen_subcommand_from local" -l log-color
complete -c slapos -n "__fish_slapos_using_subcommand configure; and __fish_seen_subcommand_from local" -l log-time
complete -c slapos -n "__fish_slapos_using_subcommand configure; and __fish_seen_subcommand_from local" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c slapos -n "__fish_slapos_using_subcommand configure; and __fish_seen_subcommand_from client" -l log-file -d 'Log to this file, too' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand configure; and __fish_seen_subcommand_from client" -l log-format -d 'How a line of the log looks' -r -f -a "text\t'As slapos.core writes it'
json\t'A JSON object'"
complete -c slapos -n "__fish_slapos_using_subcommand configure; and __fish_seen_subcommand_from client" -s v -l verbose -d 'Log details'
complete -c slapos -n "__fish_slapos_using_subcommand configure; and __fish_seen_subcommand_from client" -s q -l quiet -d 'Log warnings and errors only'
complete -c slapos -n "__fish_slapos_using_subcommand configure; and __fish_seen_subcommand_from client" -l debug -d 'Log details'
complete -c slapos -n "__fish_slapos_using_subcommand configure; and __fish_seen_subcommand_from client" -l log-color
complete -c slapos -n "__fish_slapos_using_subcommand configure; and __fish_seen_subcommand_from client" -l log-time
complete -c slapos -n "__fish_slapos_using_subcommand configure; and __fish_seen_subcommand_from client" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c slapos -n "__fish_slapos_using_subcommand configure; and __fish_seen_subcommand_from help" -f -a "local" -d 'Not here: write slapos.cfg by its example'
complete -c slapos -n "__fish_slapos_using_subcommand configure; and __fish_seen_subcommand_from help" -f -a "client" -d 'Not here: name certificate and key of the user in section slapconsole'
complete -c slapos -n "__fish_slapos_using_subcommand configure; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c slapos -n "__fish_slapos_using_subcommand complete" -l name -d 'The name that it completes' -r
complete -c slapos -n "__fish_slapos_using_subcommand complete" -l shell -d 'The shell' -r -f -a "bash\t''
elvish\t''
fish\t''
powershell\t''
zsh\t''"
complete -c slapos -n "__fish_slapos_using_subcommand complete" -l log-file -d 'Log to this file, too' -r -F
complete -c slapos -n "__fish_slapos_using_subcommand complete" -l log-format -d 'How a line of the log looks' -r -f -a "text\t'As slapos.core writes it'
json\t'A JSON object'"
complete -c slapos -n "__fish_slapos_using_subcommand complete" -s v -l verbose -d 'Log details'
complete -c slapos -n "__fish_slapos_using_subcommand complete" -s q -l quiet -d 'Log warnings and errors only'
complete -c slapos -n "__fish_slapos_using_subcommand complete" -l debug -d 'Log details'
complete -c slapos -n "__fish_slapos_using_subcommand complete" -l log-color
complete -c slapos -n "__fish_slapos_using_subcommand complete" -l log-time
complete -c slapos -n "__fish_slapos_using_subcommand complete" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c slapos -n "__fish_slapos_using_subcommand help; and not __fish_seen_subcommand_from node proxy cachelookup request supply remove console service computer configure complete help" -f -a "node" -d 'For the admin of a node; alone: its status'
complete -c slapos -n "__fish_slapos_using_subcommand help; and not __fish_seen_subcommand_from node proxy cachelookup request supply remove console service computer configure complete help" -f -a "proxy" -d 'A small master'
complete -c slapos -n "__fish_slapos_using_subcommand help; and not __fish_seen_subcommand_from node proxy cachelookup request supply remove console service computer configure complete help" -f -a "cachelookup" -d 'What the network cache has'
complete -c slapos -n "__fish_slapos_using_subcommand help; and not __fish_seen_subcommand_from node proxy cachelookup request supply remove console service computer configure complete help" -f -a "request" -d 'Request an instance, or change one, and show its state and connection parameters'
complete -c slapos -n "__fish_slapos_using_subcommand help; and not __fish_seen_subcommand_from node proxy cachelookup request supply remove console service computer configure complete help" -f -a "supply" -d 'Ask a computer to install a software release'
complete -c slapos -n "__fish_slapos_using_subcommand help; and not __fish_seen_subcommand_from node proxy cachelookup request supply remove console service computer configure complete help" -f -a "remove" -d 'Ask a computer to remove a software release'
complete -c slapos -n "__fish_slapos_using_subcommand help; and not __fish_seen_subcommand_from node proxy cachelookup request supply remove console service computer configure complete help" -f -a "console" -d 'A prompt to speak to a master: slapconsole'
complete -c slapos -n "__fish_slapos_using_subcommand help; and not __fish_seen_subcommand_from node proxy cachelookup request supply remove console service computer configure complete help" -f -a "service" -d 'Your instances'
complete -c slapos -n "__fish_slapos_using_subcommand help; and not __fish_seen_subcommand_from node proxy cachelookup request supply remove console service computer configure complete help" -f -a "computer" -d 'Your computers'
complete -c slapos -n "__fish_slapos_using_subcommand help; and not __fish_seen_subcommand_from node proxy cachelookup request supply remove console service computer configure complete help" -f -a "configure" -d 'Not here: write slapos.cfg yourself'
complete -c slapos -n "__fish_slapos_using_subcommand help; and not __fish_seen_subcommand_from node proxy cachelookup request supply remove console service computer configure complete help" -f -a "complete" -d 'Print a script that completes this command line in a shell'
complete -c slapos -n "__fish_slapos_using_subcommand help; and not __fish_seen_subcommand_from node proxy cachelookup request supply remove console service computer configure complete help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c slapos -n "__fish_slapos_using_subcommand help; and __fish_seen_subcommand_from node" -f -a "format" -d 'Prepare the machine: slapformat'
complete -c slapos -n "__fish_slapos_using_subcommand help; and __fish_seen_subcommand_from node" -f -a "software" -d 'Install and remove software releases: slapgrid-sr'
complete -c slapos -n "__fish_slapos_using_subcommand help; and __fish_seen_subcommand_from node" -f -a "instance" -d 'Make partitions run their instances: slapgrid-cp'
complete -c slapos -n "__fish_slapos_using_subcommand help; and __fish_seen_subcommand_from node" -f -a "report" -d 'Report usage, and empty partitions that are no longer wanted: slapgrid-ur'
complete -c slapos -n "__fish_slapos_using_subcommand help; and __fish_seen_subcommand_from node" -f -a "promise" -d 'Only check promises: slapgrid-cp --promises-only'
complete -c slapos -n "__fish_slapos_using_subcommand help; and __fish_seen_subcommand_from node" -f -a "prune" -d 'Only remove shared parts that nothing uses: slapgrid-sr --prune'
complete -c slapos -n "__fish_slapos_using_subcommand help; and __fish_seen_subcommand_from node" -f -a "boot" -d 'After the start of the machine: prepare it until the master knows, start the services that are known, and have every instance processed again'
complete -c slapos -n "__fish_slapos_using_subcommand help; and __fish_seen_subcommand_from node" -f -a "bang" -d 'Have every instance of this computer processed again: slapos-bang'
complete -c slapos -n "__fish_slapos_using_subcommand help; and __fish_seen_subcommand_from node" -f -a "supervisord" -d 'Start supervisord, if it does not run: slapgrid-supervisord'
complete -c slapos -n "__fish_slapos_using_subcommand help; and __fish_seen_subcommand_from node" -f -a "supervisorctl" -d 'Run supervisorctl: slapgrid-supervisorctl'
complete -c slapos -n "__fish_slapos_using_subcommand help; and __fish_seen_subcommand_from node" -f -a "status" -d 'Show services: supervisorctl status'
complete -c slapos -n "__fish_slapos_using_subcommand help; and __fish_seen_subcommand_from node" -f -a "start" -d 'Start services: supervisorctl start'
complete -c slapos -n "__fish_slapos_using_subcommand help; and __fish_seen_subcommand_from node" -f -a "stop" -d 'Stop services: supervisorctl stop'
complete -c slapos -n "__fish_slapos_using_subcommand help; and __fish_seen_subcommand_from node" -f -a "restart" -d 'Restart services: supervisorctl restart'
complete -c slapos -n "__fish_slapos_using_subcommand help; and __fish_seen_subcommand_from node" -f -a "tail" -d 'Show what a service has written: supervisorctl tail'
complete -c slapos -n "__fish_slapos_using_subcommand help; and __fish_seen_subcommand_from node" -f -a "collect" -d 'Not here: slapgrid\'s --metrics-file tells how the node does'
complete -c slapos -n "__fish_slapos_using_subcommand help; and __fish_seen_subcommand_from node" -f -a "register" -d 'Not here: the web panel of the master registers computers'
complete -c slapos -n "__fish_slapos_using_subcommand help; and __fish_seen_subcommand_from proxy" -f -a "start" -d 'Serve: slapproxy'
complete -c slapos -n "__fish_slapos_using_subcommand help; and __fish_seen_subcommand_from proxy" -f -a "show" -d 'Show what the database holds: slapproxy show'
complete -c slapos -n "__fish_slapos_using_subcommand help; and __fish_seen_subcommand_from cachelookup" -f -a "binary-sr" -d 'Archives of a software release, and which of them this node could use'
complete -c slapos -n "__fish_slapos_using_subcommand help; and __fish_seen_subcommand_from cachelookup" -f -a "url" -d 'A file that buildout downloads'
complete -c slapos -n "__fish_slapos_using_subcommand help; and __fish_seen_subcommand_from cachelookup" -f -a "pypi" -d 'Not here: cachelookup url tells of each file'
complete -c slapos -n "__fish_slapos_using_subcommand help; and __fish_seen_subcommand_from service" -f -a "list" -d 'Print the names and releases of your instances, as JSON'
complete -c slapos -n "__fish_slapos_using_subcommand help; and __fish_seen_subcommand_from service" -f -a "info" -d 'Print what is known of an instance, as JSON'
complete -c slapos -n "__fish_slapos_using_subcommand help; and __fish_seen_subcommand_from computer" -f -a "list" -d 'Print the references and names of your computers'
complete -c slapos -n "__fish_slapos_using_subcommand help; and __fish_seen_subcommand_from computer" -f -a "info" -d 'Print reference and name of a computer'
complete -c slapos -n "__fish_slapos_using_subcommand help; and __fish_seen_subcommand_from computer" -f -a "token" -d 'Print a token that registers a computer'
complete -c slapos -n "__fish_slapos_using_subcommand help; and __fish_seen_subcommand_from configure" -f -a "local" -d 'Not here: write slapos.cfg by its example'
complete -c slapos -n "__fish_slapos_using_subcommand help; and __fish_seen_subcommand_from configure" -f -a "client" -d 'Not here: name certificate and key of the user in section slapconsole'
