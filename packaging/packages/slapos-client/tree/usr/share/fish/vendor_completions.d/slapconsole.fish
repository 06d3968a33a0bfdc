complete -c slapconsole -s u -l master-url -d 'URL of the master, instead of master_url of section slapos' -r
complete -c slapconsole -s k -l key-file -d 'Private key of the user, instead of key_file of section slapconsole' -r -F
complete -c slapconsole -s c -l cert-file -d 'Certificate of the user, instead of cert_file of section slapconsole' -r -F
complete -c slapconsole -s e -l expression -d 'Run this and print its value, without a prompt' -r
complete -c slapconsole -s h -l help -d 'Print help'
complete -c slapconsole -s V -l version -d 'Print version'
