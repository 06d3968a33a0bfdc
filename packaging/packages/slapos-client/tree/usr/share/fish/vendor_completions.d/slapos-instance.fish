# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_slapos_instance_global_optspecs
    string join \n server-url= computer-id= partition-id= key-file= cert-file= master-ca-file= h/help V/version
end

function __fish_slapos_instance_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_slapos_instance_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_slapos_instance_using_subcommand
    set -l cmd (__fish_slapos_instance_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c slapos-instance -n "__fish_slapos_instance_needs_command" -l server-url -d 'URL of the master' -r
complete -c slapos-instance -n "__fish_slapos_instance_needs_command" -l computer-id -d 'Reference of the computer' -r
complete -c slapos-instance -n "__fish_slapos_instance_needs_command" -l partition-id -d 'Reference of the partition' -r
complete -c slapos-instance -n "__fish_slapos_instance_needs_command" -l key-file -d 'Private key of the instance' -r -F
complete -c slapos-instance -n "__fish_slapos_instance_needs_command" -l cert-file -d 'Certificate of the instance' -r -F
complete -c slapos-instance -n "__fish_slapos_instance_needs_command" -l master-ca-file -d 'Trust only the authorities of this file' -r -F
complete -c slapos-instance -n "__fish_slapos_instance_needs_command" -s h -l help -d 'Print help'
complete -c slapos-instance -n "__fish_slapos_instance_needs_command" -s V -l version -d 'Print version'
complete -c slapos-instance -n "__fish_slapos_instance_needs_command" -f -a "parameters" -d 'Prints the parameters of the instance, KEY=VALUE a line; control characters are escaped'
complete -c slapos-instance -n "__fish_slapos_instance_needs_command" -f -a "publish" -d 'Publishes connection parameters; they replace those of before'
complete -c slapos-instance -n "__fish_slapos_instance_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c slapos-instance -n "__fish_slapos_instance_using_subcommand parameters" -l json -d 'As one JSON object, with exact values'
complete -c slapos-instance -n "__fish_slapos_instance_using_subcommand parameters" -s h -l help -d 'Print help'
complete -c slapos-instance -n "__fish_slapos_instance_using_subcommand publish" -l parameters-file -d 'What to publish from a file: .yaml, .xml (an instance document), or else JSON; - for standard input, whose kind its beginning tells' -r -F
complete -c slapos-instance -n "__fish_slapos_instance_using_subcommand publish" -l force-serialisation -d 'How to send the values of a JSON or YAML file' -r -f -a "xml\t'Each one for itself'
json-in-xml\t'All of them as one JSON text'"
complete -c slapos-instance -n "__fish_slapos_instance_using_subcommand publish" -l slave -d 'For this slave instead of the instance itself' -r
complete -c slapos-instance -n "__fish_slapos_instance_using_subcommand publish" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c slapos-instance -n "__fish_slapos_instance_using_subcommand help; and not __fish_seen_subcommand_from parameters publish help" -f -a "parameters" -d 'Prints the parameters of the instance, KEY=VALUE a line; control characters are escaped'
complete -c slapos-instance -n "__fish_slapos_instance_using_subcommand help; and not __fish_seen_subcommand_from parameters publish help" -f -a "publish" -d 'Publishes connection parameters; they replace those of before'
complete -c slapos-instance -n "__fish_slapos_instance_using_subcommand help; and not __fish_seen_subcommand_from parameters publish help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
