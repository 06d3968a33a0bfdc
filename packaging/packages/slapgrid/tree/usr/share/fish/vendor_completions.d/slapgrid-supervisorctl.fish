complete -c slapgrid-supervisorctl -s h -l help -d 'Print help'
complete -c slapgrid-supervisorctl -s V -l version -d 'Print version'
