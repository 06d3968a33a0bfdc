complete -c slapos-supply -s u -l master-url -d 'URL of the master, instead of master_url of section slapos' -r
complete -c slapos-supply -s k -l key-file -d 'Private key of the user, instead of key_file of section slapconsole' -r -F
complete -c slapos-supply -s c -l cert-file -d 'Certificate of the user, instead of cert_file of section slapconsole' -r -F
complete -c slapos-supply -l state -d 'available: to be installed; destroyed: to be removed' -r -f -a "available\t''
destroyed\t''"
complete -c slapos-supply -l json -d 'Print one JSON object'
complete -c slapos-supply -s h -l help -d 'Print help'
complete -c slapos-supply -s V -l version -d 'Print version'
