complete -c slapgrid-supervisord -s n -l nodaemon -d 'Stay in the foreground as supervisord'
complete -c slapgrid-supervisord -s h -l help -d 'Print help'
complete -c slapgrid-supervisord -s V -l version -d 'Print version'
