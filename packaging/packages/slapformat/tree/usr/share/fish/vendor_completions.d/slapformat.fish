complete -c slapformat -s x -l computer-xml -d 'The file that holds the computer' -r -F
complete -c slapformat -s i -l input-definition-file -d 'Read a definition of the computer' -r -F
complete -c slapformat -s o -l output-definition-file -d 'Write a definition of the computer' -r -F
complete -c slapformat -l alter-user -d 'Whether to make users' -r
complete -c slapformat -l alter-network -d 'Whether to change the network' -r
complete -c slapformat -s l -l log-file -d 'Log to this file' -r -F
complete -c slapformat -s n -l dry-run -d 'Say everything, change nothing'
complete -c slapformat -l json -d 'With --dry_run: the plan as JSON'
complete -c slapformat -l now -d 'At once, without the random delay of a run without terminal'
complete -c slapformat -s v -l verbose -d 'Log details'
complete -c slapformat -s c -l console -d 'Log to standard error, too'
complete -c slapformat -s h -l help -d 'Print help'
complete -c slapformat -s V -l version -d 'Print version'
