complete -c slapos-request -s u -l master-url -d 'URL of the master, instead of master_url of section slapos' -r
complete -c slapos-request -s k -l key-file -d 'Private key of the user, instead of key_file of section slapconsole' -r -F
complete -c slapos-request -s c -l cert-file -d 'Certificate of the user, instead of cert_file of section slapconsole' -r -F
complete -c slapos-request -l parameters -d 'Parameters of the instance; they win over those of the file' -r
complete -c slapos-request -l parameters-file -d 'Parameters from a file: .yaml, .xml (an instance document), or else JSON; - for standard input, whose kind its beginning tells' -r -F
complete -c slapos-request -l force-serialisation -d 'How to send the values of a JSON or YAML file, instead of as the release says in URL.json' -r -f -a "xml\t'Each one for itself'
json-in-xml\t'All of them as one JSON text'"
complete -c slapos-request -l type -d 'Type of the instance' -r
complete -c slapos-request -l node -d 'Where to place it, e.g. computer_guid=COMP-1' -r
complete -c slapos-request -l state -d 'The wanted state' -r -f -a "started\t''
stopped\t''
destroyed\t''"
complete -c slapos-request -l wait -d 'Wait until the instance has published connection parameters, for ever or for some seconds' -r
complete -c slapos-request -l slave -d 'Request a slave of an instance instead of an instance'
complete -c slapos-request -l json -d 'Print one JSON object; nothing while the instance is not there'
complete -c slapos-request -s h -l help -d 'Print help (see more with \'--help\')'
complete -c slapos-request -s V -l version -d 'Print version'
