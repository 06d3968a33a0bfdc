complete -c slapos-remove -s u -l master-url -d 'URL of the master, instead of master_url of section slapos' -r
complete -c slapos-remove -s k -l key-file -d 'Private key of the user, instead of key_file of section slapconsole' -r -F
complete -c slapos-remove -s c -l cert-file -d 'Certificate of the user, instead of cert_file of section slapconsole' -r -F
complete -c slapos-remove -l json -d 'Print one JSON object'
complete -c slapos-remove -s h -l help -d 'Print help'
complete -c slapos-remove -s V -l version -d 'Print version'
