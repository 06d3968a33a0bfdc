complete -c generate-signature-key -l cert-file -d 'File of the certificate, which is printed in any case' -r -F
complete -c generate-signature-key -l kind -d 'rsa (3072 bits): read by all nodes; ed25519: read by this software only' -r -f -a "rsa\t''
ed25519\t''"
complete -c generate-signature-key -s h -l help -d 'Print help'
complete -c generate-signature-key -s V -l version -d 'Print version'
