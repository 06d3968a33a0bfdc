complete -c slapos-bang -s m -l message -d 'Why; kept by the master' -r
complete -c slapos-bang -s h -l help -d 'Print help'
complete -c slapos-bang -s V -l version -d 'Print version'
