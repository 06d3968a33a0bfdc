# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_slapproxy_global_optspecs
    string join \n u/database-uri= listen= host= port= insecure-listen local-software-release-root= l/log-file= v/verbose c/console h/help V/version
end

function __fish_slapproxy_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_slapproxy_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_slapproxy_using_subcommand
    set -l cmd (__fish_slapproxy_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c slapproxy -n "__fish_slapproxy_needs_command" -s u -l database-uri -d 'The database, instead of database_uri of section slapproxy' -r -F
complete -c slapproxy -n "__fish_slapproxy_needs_command" -l listen -d 'Listen there instead of host and port: ADDRESS:PORT or unix:PATH; may be repeated' -r
complete -c slapproxy -n "__fish_slapproxy_needs_command" -l host -d 'Listen there only, instead of listen and host of section slapproxy' -r
complete -c slapproxy -n "__fish_slapproxy_needs_command" -l port -d 'Listen there only, instead of listen and port of section slapproxy' -r
complete -c slapproxy -n "__fish_slapproxy_needs_command" -l local-software-release-root -d 'Where local releases are, if they may move' -r -F
complete -c slapproxy -n "__fish_slapproxy_needs_command" -s l -l log-file -d 'Log to this file' -r -F
complete -c slapproxy -n "__fish_slapproxy_needs_command" -l insecure-listen -d 'Serve other machines, although anyone who reaches the address can command the nodes'
complete -c slapproxy -n "__fish_slapproxy_needs_command" -s v -l verbose -d 'Log every call'
complete -c slapproxy -n "__fish_slapproxy_needs_command" -s c -l console -d 'Log to standard error, too'
complete -c slapproxy -n "__fish_slapproxy_needs_command" -s h -l help -d 'Print help'
complete -c slapproxy -n "__fish_slapproxy_needs_command" -s V -l version -d 'Print version'
complete -c slapproxy -n "__fish_slapproxy_needs_command" -a "migrate" -d 'Give an empty database everything that another one holds, and compare both row by row'
complete -c slapproxy -n "__fish_slapproxy_needs_command" -a "show" -d 'Show what the database holds, also while a server runs; all sections unless some are chosen'
complete -c slapproxy -n "__fish_slapproxy_using_subcommand migrate" -l from -d 'The database to read, a file of SQLite or postgresql://…; no server may write to it' -r -F
complete -c slapproxy -n "__fish_slapproxy_using_subcommand migrate" -l to -d 'The database to write, which must be empty, or not be there if it is a file' -r -F
complete -c slapproxy -n "__fish_slapproxy_using_subcommand migrate" -s h -l help -d 'Print help'
complete -c slapproxy -n "__fish_slapproxy_using_subcommand show" -s u -l database-uri -d 'The database, instead of database_uri of section slapproxy' -r -F
complete -c slapproxy -n "__fish_slapproxy_using_subcommand show" -l computers -d 'Computers that described themselves'
complete -c slapproxy -n "__fish_slapproxy_using_subcommand show" -l software -d 'Releases that computers shall have or lose'
complete -c slapproxy -n "__fish_slapproxy_using_subcommand show" -l partitions -d 'Partitions that hold an instance'
complete -c slapproxy -n "__fish_slapproxy_using_subcommand show" -l slaves -d 'Slaves'
complete -c slapproxy -n "__fish_slapproxy_using_subcommand show" -l params -d 'Connection parameters that instances published'
complete -c slapproxy -n "__fish_slapproxy_using_subcommand show" -l network -d 'Addresses of the partitions that hold an instance'
complete -c slapproxy -n "__fish_slapproxy_using_subcommand show" -l reports -d 'What nodes reported last of each release and instance'
complete -c slapproxy -n "__fish_slapproxy_using_subcommand show" -l unrequested -d 'Instances that are kept although they are no longer requested'
complete -c slapproxy -n "__fish_slapproxy_using_subcommand show" -l json -d 'Print one JSON object'
complete -c slapproxy -n "__fish_slapproxy_using_subcommand show" -s h -l help -d 'Print help'
