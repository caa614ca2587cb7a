# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_tank_global_optspecs
    string join \n root= run-root= color= v/verbose q/quiet h/help V/version
end

function __fish_tank_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_tank_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_tank_using_subcommand
    set -l cmd (__fish_tank_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c tank -n "__fish_tank_needs_command" -l root -d 'Directory of everything that must survive a reboot' -r -F
complete -c tank -n "__fish_tank_needs_command" -l run-root -d 'Directory of everything that a reboot discards' -r -F
complete -c tank -n "__fish_tank_needs_command" -l color -d 'When to use colours; NO_COLOR is obeyed' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c tank -n "__fish_tank_needs_command" -s v -l verbose -d 'Show progress also where standard error is not a terminal'
complete -c tank -n "__fish_tank_needs_command" -s q -l quiet -d 'Show results and errors only'
complete -c tank -n "__fish_tank_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tank -n "__fish_tank_needs_command" -s V -l version -d 'Print version'
complete -c tank -n "__fish_tank_needs_command" -f -a "apply" -d 'Create pods or change them to what a file says, and run one pass'
complete -c tank -n "__fish_tank_needs_command" -f -a "delete" -d 'Stop pods and remove them, and run one pass'
complete -c tank -n "__fish_tank_needs_command" -f -a "seed" -d 'Create the pods that do not exist yet, and run one pass'
complete -c tank -n "__fish_tank_needs_command" -f -a "start" -d 'Have pods run, and run one pass'
complete -c tank -n "__fish_tank_needs_command" -f -a "stop" -d 'Have pods not run, and run one pass'
complete -c tank -n "__fish_tank_needs_command" -f -a "restart" -d 'Have every container of pods replaced by a new one, and run one pass'
complete -c tank -n "__fish_tank_needs_command" -f -a "wait" -d 'Wait until pods are ready, stopped or deleted'
complete -c tank -n "__fish_tank_needs_command" -f -a "events" -d 'Print what happened to pods: started, exited, oom, stopped, lost'
complete -c tank -n "__fish_tank_needs_command" -f -a "history" -d 'Show the revisions of a pod: what it was, since when, and what each changed'
complete -c tank -n "__fish_tank_needs_command" -f -a "rollback" -d 'Make an earlier revision of a pod desired again, and run one pass'
complete -c tank -n "__fish_tank_needs_command" -f -a "get" -d 'Print the desired spec of a pod'
complete -c tank -n "__fish_tank_needs_command" -f -a "list" -d 'List the pods that should exist, and how they are'
complete -c tank -n "__fish_tank_needs_command" -f -a "ls" -d 'List the pods that should exist, and how they are'
complete -c tank -n "__fish_tank_needs_command" -f -a "ps" -d 'List the containers of all pods'
complete -c tank -n "__fish_tank_needs_command" -f -a "describe" -d 'Show the spec, the state and the recent past of a pod'
complete -c tank -n "__fish_tank_needs_command" -f -a "plan" -d 'Say what a pass would do and why, and change nothing'
complete -c tank -n "__fish_tank_needs_command" -f -a "reconcile" -d 'Run one pass: compare what should run with what does, and act on the difference'
complete -c tank -n "__fish_tank_needs_command" -f -a "exec" -d 'Run a program in a running container'
complete -c tank -n "__fish_tank_needs_command" -f -a "attach" -d 'Attach to the main process of a running container'
complete -c tank -n "__fish_tank_needs_command" -f -a "logs" -d 'Print the logs of containers'
complete -c tank -n "__fish_tank_needs_command" -f -a "image" -d 'Pull, load, list, save and remove images'
complete -c tank -n "__fish_tank_needs_command" -f -a "volume" -d 'List, inspect and remove named volumes'
complete -c tank -n "__fish_tank_needs_command" -f -a "network" -d 'Look at the network of pods'
complete -c tank -n "__fish_tank_needs_command" -f -a "doctor" -d 'Check this machine and the state, and say what is missing and what that means'
complete -c tank -n "__fish_tank_needs_command" -f -a "install" -d 'Have a pass run at boot and every minute, by systemd or by cron'
complete -c tank -n "__fish_tank_needs_command" -f -a "login" -d 'Log in to a registry'
complete -c tank -n "__fish_tank_needs_command" -f -a "logout" -d 'Log out of a registry'
complete -c tank -n "__fish_tank_needs_command" -f -a "schema" -d 'Print the JSON Schema of the pod file'
complete -c tank -n "__fish_tank_needs_command" -f -a "completions" -d 'Print the completions for a shell'
complete -c tank -n "__fish_tank_needs_command" -f -a "man" -d 'Write the manual pages into a directory'
complete -c tank -n "__fish_tank_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c tank -n "__fish_tank_using_subcommand apply" -s f -l file -d 'Pod file, directory of *.toml files, or - for standard input; may be repeated' -r -F
complete -c tank -n "__fish_tank_using_subcommand apply" -l wait -d 'Wait until the pods are ready, or gone; fail if it takes longer than this, or than 60s' -r
complete -c tank -n "__fish_tank_using_subcommand apply" -l prune-label -d 'Delete the pods with this label that the files do not name' -r
complete -c tank -n "__fish_tank_using_subcommand apply" -l lock-timeout -d 'How long to wait for another tank command that holds a lock' -r
complete -c tank -n "__fish_tank_using_subcommand apply" -s o -l output -d 'Print JSON for scripts' -r -f -a "json\t'One JSON object'"
complete -c tank -n "__fish_tank_using_subcommand apply" -l root -d 'Directory of everything that must survive a reboot' -r -F
complete -c tank -n "__fish_tank_using_subcommand apply" -l run-root -d 'Directory of everything that a reboot discards' -r -F
complete -c tank -n "__fish_tank_using_subcommand apply" -l color -d 'When to use colours; NO_COLOR is obeyed' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c tank -n "__fish_tank_using_subcommand apply" -l rollback-on-failure -d 'Where a pod that was changed is not ready in time, make it what it was before, unless somebody else has changed it since; the exit code is 1 all the same'
complete -c tank -n "__fish_tank_using_subcommand apply" -l dry-run -d 'Say what would be done, and change nothing'
complete -c tank -n "__fish_tank_using_subcommand apply" -s v -l verbose -d 'Show progress also where standard error is not a terminal'
complete -c tank -n "__fish_tank_using_subcommand apply" -s q -l quiet -d 'Show results and errors only'
complete -c tank -n "__fish_tank_using_subcommand apply" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tank -n "__fish_tank_using_subcommand delete" -s f -l file -d 'Delete the pods of a pod file, a directory of *.toml files, or - for standard input' -r -F
complete -c tank -n "__fish_tank_using_subcommand delete" -l wait -d 'Wait until the pods are ready, or gone; fail if it takes longer than this, or than 60s' -r
complete -c tank -n "__fish_tank_using_subcommand delete" -l lock-timeout -d 'How long to wait for another tank command that holds a lock' -r
complete -c tank -n "__fish_tank_using_subcommand delete" -s o -l output -d 'Print JSON for scripts' -r -f -a "json\t'One JSON object'"
complete -c tank -n "__fish_tank_using_subcommand delete" -l root -d 'Directory of everything that must survive a reboot' -r -F
complete -c tank -n "__fish_tank_using_subcommand delete" -l run-root -d 'Directory of everything that a reboot discards' -r -F
complete -c tank -n "__fish_tank_using_subcommand delete" -l color -d 'When to use colours; NO_COLOR is obeyed' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c tank -n "__fish_tank_using_subcommand delete" -l ignore-not-found -d 'A pod that does not exist is not an error'
complete -c tank -n "__fish_tank_using_subcommand delete" -s v -l verbose -d 'Show progress also where standard error is not a terminal'
complete -c tank -n "__fish_tank_using_subcommand delete" -s q -l quiet -d 'Show results and errors only'
complete -c tank -n "__fish_tank_using_subcommand delete" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tank -n "__fish_tank_using_subcommand seed" -s f -l file -d 'Pod file, directory of *.toml files, or - for standard input; may be repeated' -r -F
complete -c tank -n "__fish_tank_using_subcommand seed" -l lock-timeout -d 'How long to wait for another tank command that holds a lock' -r
complete -c tank -n "__fish_tank_using_subcommand seed" -s o -l output -d 'Print JSON for scripts' -r -f -a "json\t'One JSON object'"
complete -c tank -n "__fish_tank_using_subcommand seed" -l root -d 'Directory of everything that must survive a reboot' -r -F
complete -c tank -n "__fish_tank_using_subcommand seed" -l run-root -d 'Directory of everything that a reboot discards' -r -F
complete -c tank -n "__fish_tank_using_subcommand seed" -l color -d 'When to use colours; NO_COLOR is obeyed' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c tank -n "__fish_tank_using_subcommand seed" -s v -l verbose -d 'Show progress also where standard error is not a terminal'
complete -c tank -n "__fish_tank_using_subcommand seed" -s q -l quiet -d 'Show results and errors only'
complete -c tank -n "__fish_tank_using_subcommand seed" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tank -n "__fish_tank_using_subcommand start" -l wait -d 'Wait until the pods are ready, or gone; fail if it takes longer than this, or than 60s' -r
complete -c tank -n "__fish_tank_using_subcommand start" -l lock-timeout -d 'How long to wait for another tank command that holds a lock' -r
complete -c tank -n "__fish_tank_using_subcommand start" -s o -l output -d 'Print JSON for scripts' -r -f -a "json\t'One JSON object'"
complete -c tank -n "__fish_tank_using_subcommand start" -l root -d 'Directory of everything that must survive a reboot' -r -F
complete -c tank -n "__fish_tank_using_subcommand start" -l run-root -d 'Directory of everything that a reboot discards' -r -F
complete -c tank -n "__fish_tank_using_subcommand start" -l color -d 'When to use colours; NO_COLOR is obeyed' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c tank -n "__fish_tank_using_subcommand start" -s v -l verbose -d 'Show progress also where standard error is not a terminal'
complete -c tank -n "__fish_tank_using_subcommand start" -s q -l quiet -d 'Show results and errors only'
complete -c tank -n "__fish_tank_using_subcommand start" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tank -n "__fish_tank_using_subcommand stop" -l lock-timeout -d 'How long to wait for another tank command that holds a lock' -r
complete -c tank -n "__fish_tank_using_subcommand stop" -s o -l output -d 'Print JSON for scripts' -r -f -a "json\t'One JSON object'"
complete -c tank -n "__fish_tank_using_subcommand stop" -l root -d 'Directory of everything that must survive a reboot' -r -F
complete -c tank -n "__fish_tank_using_subcommand stop" -l run-root -d 'Directory of everything that a reboot discards' -r -F
complete -c tank -n "__fish_tank_using_subcommand stop" -l color -d 'When to use colours; NO_COLOR is obeyed' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c tank -n "__fish_tank_using_subcommand stop" -s v -l verbose -d 'Show progress also where standard error is not a terminal'
complete -c tank -n "__fish_tank_using_subcommand stop" -s q -l quiet -d 'Show results and errors only'
complete -c tank -n "__fish_tank_using_subcommand stop" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tank -n "__fish_tank_using_subcommand restart" -l wait -d 'Wait until the pods are ready, or gone; fail if it takes longer than this, or than 60s' -r
complete -c tank -n "__fish_tank_using_subcommand restart" -l lock-timeout -d 'How long to wait for another tank command that holds a lock' -r
complete -c tank -n "__fish_tank_using_subcommand restart" -s o -l output -d 'Print JSON for scripts' -r -f -a "json\t'One JSON object'"
complete -c tank -n "__fish_tank_using_subcommand restart" -l root -d 'Directory of everything that must survive a reboot' -r -F
complete -c tank -n "__fish_tank_using_subcommand restart" -l run-root -d 'Directory of everything that a reboot discards' -r -F
complete -c tank -n "__fish_tank_using_subcommand restart" -l color -d 'When to use colours; NO_COLOR is obeyed' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c tank -n "__fish_tank_using_subcommand restart" -s v -l verbose -d 'Show progress also where standard error is not a terminal'
complete -c tank -n "__fish_tank_using_subcommand restart" -s q -l quiet -d 'Show results and errors only'
complete -c tank -n "__fish_tank_using_subcommand restart" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tank -n "__fish_tank_using_subcommand wait" -l for -d 'What to wait for' -r -f -a "ready\t'They run, or have done what they were there for'
stopped\t'Nothing of them runs'
deleted\t'They are no more'"
complete -c tank -n "__fish_tank_using_subcommand wait" -l timeout -d 'How long to wait' -r
complete -c tank -n "__fish_tank_using_subcommand wait" -l root -d 'Directory of everything that must survive a reboot' -r -F
complete -c tank -n "__fish_tank_using_subcommand wait" -l run-root -d 'Directory of everything that a reboot discards' -r -F
complete -c tank -n "__fish_tank_using_subcommand wait" -l color -d 'When to use colours; NO_COLOR is obeyed' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c tank -n "__fish_tank_using_subcommand wait" -s v -l verbose -d 'Show progress also where standard error is not a terminal'
complete -c tank -n "__fish_tank_using_subcommand wait" -s q -l quiet -d 'Show results and errors only'
complete -c tank -n "__fish_tank_using_subcommand wait" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tank -n "__fish_tank_using_subcommand events" -s n -l lines -l tail -d 'Begin with the last N' -r
complete -c tank -n "__fish_tank_using_subcommand events" -l since -d 'Only what happened from this time on' -r
complete -c tank -n "__fish_tank_using_subcommand events" -s o -l output -d 'Print JSON for scripts' -r -f -a "json\t'One JSON object'"
complete -c tank -n "__fish_tank_using_subcommand events" -l root -d 'Directory of everything that must survive a reboot' -r -F
complete -c tank -n "__fish_tank_using_subcommand events" -l run-root -d 'Directory of everything that a reboot discards' -r -F
complete -c tank -n "__fish_tank_using_subcommand events" -l color -d 'When to use colours; NO_COLOR is obeyed' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c tank -n "__fish_tank_using_subcommand events" -s f -l follow -d 'Wait for more'
complete -c tank -n "__fish_tank_using_subcommand events" -s v -l verbose -d 'Show progress also where standard error is not a terminal'
complete -c tank -n "__fish_tank_using_subcommand events" -s q -l quiet -d 'Show results and errors only'
complete -c tank -n "__fish_tank_using_subcommand events" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tank -n "__fish_tank_using_subcommand history" -s o -l output -d 'Print JSON for scripts' -r -f -a "json\t'One JSON object'"
complete -c tank -n "__fish_tank_using_subcommand history" -l root -d 'Directory of everything that must survive a reboot' -r -F
complete -c tank -n "__fish_tank_using_subcommand history" -l run-root -d 'Directory of everything that a reboot discards' -r -F
complete -c tank -n "__fish_tank_using_subcommand history" -l color -d 'When to use colours; NO_COLOR is obeyed' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c tank -n "__fish_tank_using_subcommand history" -s v -l verbose -d 'Show progress also where standard error is not a terminal'
complete -c tank -n "__fish_tank_using_subcommand history" -s q -l quiet -d 'Show results and errors only'
complete -c tank -n "__fish_tank_using_subcommand history" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tank -n "__fish_tank_using_subcommand rollback" -l to -d 'The generation to go back to' -r
complete -c tank -n "__fish_tank_using_subcommand rollback" -l wait -d 'Wait until the pods are ready, or gone; fail if it takes longer than this, or than 60s' -r
complete -c tank -n "__fish_tank_using_subcommand rollback" -l lock-timeout -d 'How long to wait for another tank command that holds a lock' -r
complete -c tank -n "__fish_tank_using_subcommand rollback" -s o -l output -d 'Print JSON for scripts' -r -f -a "json\t'One JSON object'"
complete -c tank -n "__fish_tank_using_subcommand rollback" -l root -d 'Directory of everything that must survive a reboot' -r -F
complete -c tank -n "__fish_tank_using_subcommand rollback" -l run-root -d 'Directory of everything that a reboot discards' -r -F
complete -c tank -n "__fish_tank_using_subcommand rollback" -l color -d 'When to use colours; NO_COLOR is obeyed' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c tank -n "__fish_tank_using_subcommand rollback" -l dry-run -d 'Say what would be done, and change nothing'
complete -c tank -n "__fish_tank_using_subcommand rollback" -s v -l verbose -d 'Show progress also where standard error is not a terminal'
complete -c tank -n "__fish_tank_using_subcommand rollback" -s q -l quiet -d 'Show results and errors only'
complete -c tank -n "__fish_tank_using_subcommand rollback" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tank -n "__fish_tank_using_subcommand get" -s o -l output -d 'The format to print' -r -f -a "toml\t'The pod file\'s format'
json\t'All fields, with their defaults'"
complete -c tank -n "__fish_tank_using_subcommand get" -l root -d 'Directory of everything that must survive a reboot' -r -F
complete -c tank -n "__fish_tank_using_subcommand get" -l run-root -d 'Directory of everything that a reboot discards' -r -F
complete -c tank -n "__fish_tank_using_subcommand get" -l color -d 'When to use colours; NO_COLOR is obeyed' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c tank -n "__fish_tank_using_subcommand get" -s v -l verbose -d 'Show progress also where standard error is not a terminal'
complete -c tank -n "__fish_tank_using_subcommand get" -s q -l quiet -d 'Show results and errors only'
complete -c tank -n "__fish_tank_using_subcommand get" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tank -n "__fish_tank_using_subcommand list" -s o -l output -d 'Print JSON for scripts' -r -f -a "json\t'One JSON object'"
complete -c tank -n "__fish_tank_using_subcommand list" -l root -d 'Directory of everything that must survive a reboot' -r -F
complete -c tank -n "__fish_tank_using_subcommand list" -l run-root -d 'Directory of everything that a reboot discards' -r -F
complete -c tank -n "__fish_tank_using_subcommand list" -l color -d 'When to use colours; NO_COLOR is obeyed' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c tank -n "__fish_tank_using_subcommand list" -s v -l verbose -d 'Show progress also where standard error is not a terminal'
complete -c tank -n "__fish_tank_using_subcommand list" -s q -l quiet -d 'Show results and errors only'
complete -c tank -n "__fish_tank_using_subcommand list" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tank -n "__fish_tank_using_subcommand ls" -s o -l output -d 'Print JSON for scripts' -r -f -a "json\t'One JSON object'"
complete -c tank -n "__fish_tank_using_subcommand ls" -l root -d 'Directory of everything that must survive a reboot' -r -F
complete -c tank -n "__fish_tank_using_subcommand ls" -l run-root -d 'Directory of everything that a reboot discards' -r -F
complete -c tank -n "__fish_tank_using_subcommand ls" -l color -d 'When to use colours; NO_COLOR is obeyed' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c tank -n "__fish_tank_using_subcommand ls" -s v -l verbose -d 'Show progress also where standard error is not a terminal'
complete -c tank -n "__fish_tank_using_subcommand ls" -s q -l quiet -d 'Show results and errors only'
complete -c tank -n "__fish_tank_using_subcommand ls" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tank -n "__fish_tank_using_subcommand ps" -s o -l output -d 'Print JSON for scripts' -r -f -a "json\t'One JSON object'"
complete -c tank -n "__fish_tank_using_subcommand ps" -l root -d 'Directory of everything that must survive a reboot' -r -F
complete -c tank -n "__fish_tank_using_subcommand ps" -l run-root -d 'Directory of everything that a reboot discards' -r -F
complete -c tank -n "__fish_tank_using_subcommand ps" -l color -d 'When to use colours; NO_COLOR is obeyed' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c tank -n "__fish_tank_using_subcommand ps" -s a -l all -d 'Show the earlier lives on record too'
complete -c tank -n "__fish_tank_using_subcommand ps" -s v -l verbose -d 'Show progress also where standard error is not a terminal'
complete -c tank -n "__fish_tank_using_subcommand ps" -s q -l quiet -d 'Show results and errors only'
complete -c tank -n "__fish_tank_using_subcommand ps" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tank -n "__fish_tank_using_subcommand describe" -s o -l output -d 'Print JSON for scripts' -r -f -a "json\t'One JSON object'"
complete -c tank -n "__fish_tank_using_subcommand describe" -l root -d 'Directory of everything that must survive a reboot' -r -F
complete -c tank -n "__fish_tank_using_subcommand describe" -l run-root -d 'Directory of everything that a reboot discards' -r -F
complete -c tank -n "__fish_tank_using_subcommand describe" -l color -d 'When to use colours; NO_COLOR is obeyed' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c tank -n "__fish_tank_using_subcommand describe" -s v -l verbose -d 'Show progress also where standard error is not a terminal'
complete -c tank -n "__fish_tank_using_subcommand describe" -s q -l quiet -d 'Show results and errors only'
complete -c tank -n "__fish_tank_using_subcommand describe" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tank -n "__fish_tank_using_subcommand plan" -s f -l file -d 'Plan as if this pod file, directory of *.toml files, or - (standard input) were applied' -r -F
complete -c tank -n "__fish_tank_using_subcommand plan" -s o -l output -d 'Print JSON for scripts' -r -f -a "json\t'One JSON object'"
complete -c tank -n "__fish_tank_using_subcommand plan" -l root -d 'Directory of everything that must survive a reboot' -r -F
complete -c tank -n "__fish_tank_using_subcommand plan" -l run-root -d 'Directory of everything that a reboot discards' -r -F
complete -c tank -n "__fish_tank_using_subcommand plan" -l color -d 'When to use colours; NO_COLOR is obeyed' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c tank -n "__fish_tank_using_subcommand plan" -l detailed-exitcode -d 'Exit with 2 when there is something to do, and with 1 after any error'
complete -c tank -n "__fish_tank_using_subcommand plan" -s v -l verbose -d 'Show progress also where standard error is not a terminal'
complete -c tank -n "__fish_tank_using_subcommand plan" -s q -l quiet -d 'Show results and errors only'
complete -c tank -n "__fish_tank_using_subcommand plan" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tank -n "__fish_tank_using_subcommand reconcile" -l every -d 'Repeat in the foreground, at most every 1s and at least every 5m' -r
complete -c tank -n "__fish_tank_using_subcommand reconcile" -l lock-timeout -d 'How long to wait for another tank command that holds a lock' -r
complete -c tank -n "__fish_tank_using_subcommand reconcile" -s o -l output -d 'Print JSON for scripts' -r -f -a "json\t'One JSON object'"
complete -c tank -n "__fish_tank_using_subcommand reconcile" -l root -d 'Directory of everything that must survive a reboot' -r -F
complete -c tank -n "__fish_tank_using_subcommand reconcile" -l run-root -d 'Directory of everything that a reboot discards' -r -F
complete -c tank -n "__fish_tank_using_subcommand reconcile" -l color -d 'When to use colours; NO_COLOR is obeyed' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c tank -n "__fish_tank_using_subcommand reconcile" -l dry-run -d 'Say what would be done, and change nothing'
complete -c tank -n "__fish_tank_using_subcommand reconcile" -l wait-backoff -d 'Wait out restart delays first; monitors use it when their container has ended'
complete -c tank -n "__fish_tank_using_subcommand reconcile" -s v -l verbose -d 'Show progress also where standard error is not a terminal'
complete -c tank -n "__fish_tank_using_subcommand reconcile" -s q -l quiet -d 'Show results and errors only'
complete -c tank -n "__fish_tank_using_subcommand reconcile" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tank -n "__fish_tank_using_subcommand exec" -s e -l env -d 'Set an environment variable; may be repeated' -r
complete -c tank -n "__fish_tank_using_subcommand exec" -s w -l workdir -d 'Working directory inside the container' -r
complete -c tank -n "__fish_tank_using_subcommand exec" -s u -l user -d 'User, or user:group, inside the container' -r
complete -c tank -n "__fish_tank_using_subcommand exec" -l detach-keys -d 'Keys that leave it running, on a terminal: characters, ctrl-X or DEL with commas between' -r
complete -c tank -n "__fish_tank_using_subcommand exec" -l term -d 'The kind of terminal, where there is one' -r
complete -c tank -n "__fish_tank_using_subcommand exec" -l root -d 'Directory of everything that must survive a reboot' -r -F
complete -c tank -n "__fish_tank_using_subcommand exec" -l run-root -d 'Directory of everything that a reboot discards' -r -F
complete -c tank -n "__fish_tank_using_subcommand exec" -l color -d 'When to use colours; NO_COLOR is obeyed' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c tank -n "__fish_tank_using_subcommand exec" -s t -l tty -d 'Use a terminal even if standard output is none; without one on standard input, a warning says so and nothing changes'
complete -c tank -n "__fish_tank_using_subcommand exec" -s T -l no-tty -d 'Use no terminal'
complete -c tank -n "__fish_tank_using_subcommand exec" -s i -l interactive -d 'Connect standard input; this is so anyway, except with -d'
complete -c tank -n "__fish_tank_using_subcommand exec" -l no-stdin -d 'Do not connect standard input: the program reads its end at once'
complete -c tank -n "__fish_tank_using_subcommand exec" -s d -l detach -d 'Return at once and leave the program running'
complete -c tank -n "__fish_tank_using_subcommand exec" -l privileged -d 'Give it all capabilities that tank has, and neither no_new_privileges nor a seccomp filter'
complete -c tank -n "__fish_tank_using_subcommand exec" -s v -l verbose -d 'Show progress also where standard error is not a terminal'
complete -c tank -n "__fish_tank_using_subcommand exec" -s q -l quiet -d 'Show results and errors only'
complete -c tank -n "__fish_tank_using_subcommand exec" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tank -n "__fish_tank_using_subcommand attach" -l detach-keys -d 'The keys that leave it running: characters, ctrl-X or DEL with commas between, or none. What is set here goes before config.toml' -r
complete -c tank -n "__fish_tank_using_subcommand attach" -l root -d 'Directory of everything that must survive a reboot' -r -F
complete -c tank -n "__fish_tank_using_subcommand attach" -l run-root -d 'Directory of everything that a reboot discards' -r -F
complete -c tank -n "__fish_tank_using_subcommand attach" -l color -d 'When to use colours; NO_COLOR is obeyed' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c tank -n "__fish_tank_using_subcommand attach" -s t -l tty -d 'Insist on a terminal: a container without one is an error'
complete -c tank -n "__fish_tank_using_subcommand attach" -l no-stdin -d 'Do not pass on standard input'
complete -c tank -n "__fish_tank_using_subcommand attach" -s v -l verbose -d 'Show progress also where standard error is not a terminal'
complete -c tank -n "__fish_tank_using_subcommand attach" -s q -l quiet -d 'Show results and errors only'
complete -c tank -n "__fish_tank_using_subcommand attach" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tank -n "__fish_tank_using_subcommand logs" -s n -l lines -l tail -d 'Begin with the last N lines of each container' -r
complete -c tank -n "__fish_tank_using_subcommand logs" -l since -d 'Only lines from this time on' -r
complete -c tank -n "__fish_tank_using_subcommand logs" -l until -d 'Only lines before this time' -r
complete -c tank -n "__fish_tank_using_subcommand logs" -l stream -d 'Only what was written to this stream' -r -f -a "stdout\t'Standard output, and what is written to a terminal'
stderr\t'Standard error'"
complete -c tank -n "__fish_tank_using_subcommand logs" -l prefix -d 'Put the name of the container before each line; auto does so for several containers' -r -f -a "auto\t'Where there are several containers'
always\t'Always'
never\t'Never'"
complete -c tank -n "__fish_tank_using_subcommand logs" -s o -l output -d 'Print JSON for scripts' -r -f -a "json\t'One JSON object'"
complete -c tank -n "__fish_tank_using_subcommand logs" -l root -d 'Directory of everything that must survive a reboot' -r -F
complete -c tank -n "__fish_tank_using_subcommand logs" -l run-root -d 'Directory of everything that a reboot discards' -r -F
complete -c tank -n "__fish_tank_using_subcommand logs" -l color -d 'When to use colours; NO_COLOR is obeyed' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c tank -n "__fish_tank_using_subcommand logs" -s f -l follow -d 'Wait for more until the pods are done, stopped or deleted'
complete -c tank -n "__fish_tank_using_subcommand logs" -s t -l timestamps -d 'Put the time before each line, with nanoseconds, in UTC'
complete -c tank -n "__fish_tank_using_subcommand logs" -s p -l previous -d 'Only the life before the last one'
complete -c tank -n "__fish_tank_using_subcommand logs" -l all -d 'All lives on record, which is the default'
complete -c tank -n "__fish_tank_using_subcommand logs" -l raw -d 'Do not escape what could steer the terminal'
complete -c tank -n "__fish_tank_using_subcommand logs" -s v -l verbose -d 'Show progress also where standard error is not a terminal'
complete -c tank -n "__fish_tank_using_subcommand logs" -s q -l quiet -d 'Show results and errors only'
complete -c tank -n "__fish_tank_using_subcommand logs" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tank -n "__fish_tank_using_subcommand image; and not __fish_seen_subcommand_from pull load list ls inspect tag rm prune save help" -l root -d 'Directory of everything that must survive a reboot' -r -F
complete -c tank -n "__fish_tank_using_subcommand image; and not __fish_seen_subcommand_from pull load list ls inspect tag rm prune save help" -l run-root -d 'Directory of everything that a reboot discards' -r -F
complete -c tank -n "__fish_tank_using_subcommand image; and not __fish_seen_subcommand_from pull load list ls inspect tag rm prune save help" -l color -d 'When to use colours; NO_COLOR is obeyed' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c tank -n "__fish_tank_using_subcommand image; and not __fish_seen_subcommand_from pull load list ls inspect tag rm prune save help" -s v -l verbose -d 'Show progress also where standard error is not a terminal'
complete -c tank -n "__fish_tank_using_subcommand image; and not __fish_seen_subcommand_from pull load list ls inspect tag rm prune save help" -s q -l quiet -d 'Show results and errors only'
complete -c tank -n "__fish_tank_using_subcommand image; and not __fish_seen_subcommand_from pull load list ls inspect tag rm prune save help" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tank -n "__fish_tank_using_subcommand image; and not __fish_seen_subcommand_from pull load list ls inspect tag rm prune save help" -f -a "pull" -d 'Fetch images from registries'
complete -c tank -n "__fish_tank_using_subcommand image; and not __fish_seen_subcommand_from pull load list ls inspect tag rm prune save help" -f -a "load" -d 'Load an image from a docker archive, an OCI archive or an OCI layout directory'
complete -c tank -n "__fish_tank_using_subcommand image; and not __fish_seen_subcommand_from pull load list ls inspect tag rm prune save help" -f -a "list" -d 'List the images on disk'
complete -c tank -n "__fish_tank_using_subcommand image; and not __fish_seen_subcommand_from pull load list ls inspect tag rm prune save help" -f -a "ls" -d 'List the images on disk'
complete -c tank -n "__fish_tank_using_subcommand image; and not __fish_seen_subcommand_from pull load list ls inspect tag rm prune save help" -f -a "inspect" -d 'Show the layers and the configuration of an image'
complete -c tank -n "__fish_tank_using_subcommand image; and not __fish_seen_subcommand_from pull load list ls inspect tag rm prune save help" -f -a "tag" -d 'Give an image one more name'
complete -c tank -n "__fish_tank_using_subcommand image; and not __fish_seen_subcommand_from pull load list ls inspect tag rm prune save help" -f -a "rm" -d 'Remove images'
complete -c tank -n "__fish_tank_using_subcommand image; and not __fish_seen_subcommand_from pull load list ls inspect tag rm prune save help" -f -a "prune" -d 'Remove images that nothing needs'
complete -c tank -n "__fish_tank_using_subcommand image; and not __fish_seen_subcommand_from pull load list ls inspect tag rm prune save help" -f -a "save" -d 'Save images to a file that docker, podman, skopeo and tank read'
complete -c tank -n "__fish_tank_using_subcommand image; and not __fish_seen_subcommand_from pull load list ls inspect tag rm prune save help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c tank -n "__fish_tank_using_subcommand image; and __fish_seen_subcommand_from pull" -l platform -d 'The platform to choose: os/architecture[/variant]; this machine\'s if left out' -r
complete -c tank -n "__fish_tank_using_subcommand image; and __fish_seen_subcommand_from pull" -l lock-timeout -d 'How long to wait for another tank command that holds a lock' -r
complete -c tank -n "__fish_tank_using_subcommand image; and __fish_seen_subcommand_from pull" -s o -l output -d 'Print JSON for scripts' -r -f -a "json\t'One JSON object'"
complete -c tank -n "__fish_tank_using_subcommand image; and __fish_seen_subcommand_from pull" -l root -d 'Directory of everything that must survive a reboot' -r -F
complete -c tank -n "__fish_tank_using_subcommand image; and __fish_seen_subcommand_from pull" -l run-root -d 'Directory of everything that a reboot discards' -r -F
complete -c tank -n "__fish_tank_using_subcommand image; and __fish_seen_subcommand_from pull" -l color -d 'When to use colours; NO_COLOR is obeyed' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c tank -n "__fish_tank_using_subcommand image; and __fish_seen_subcommand_from pull" -s v -l verbose -d 'Show progress also where standard error is not a terminal'
complete -c tank -n "__fish_tank_using_subcommand image; and __fish_seen_subcommand_from pull" -s q -l quiet -d 'Show results and errors only'
complete -c tank -n "__fish_tank_using_subcommand image; and __fish_seen_subcommand_from pull" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tank -n "__fish_tank_using_subcommand image; and __fish_seen_subcommand_from load" -s i -l input -d 'The archive or directory, as others name it' -r -F
complete -c tank -n "__fish_tank_using_subcommand image; and __fish_seen_subcommand_from load" -l lock-timeout -d 'How long to wait for another tank command that holds a lock' -r
complete -c tank -n "__fish_tank_using_subcommand image; and __fish_seen_subcommand_from load" -s o -l output -d 'Print JSON for scripts' -r -f -a "json\t'One JSON object'"
complete -c tank -n "__fish_tank_using_subcommand image; and __fish_seen_subcommand_from load" -l root -d 'Directory of everything that must survive a reboot' -r -F
complete -c tank -n "__fish_tank_using_subcommand image; and __fish_seen_subcommand_from load" -l run-root -d 'Directory of everything that a reboot discards' -r -F
complete -c tank -n "__fish_tank_using_subcommand image; and __fish_seen_subcommand_from load" -l color -d 'When to use colours; NO_COLOR is obeyed' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c tank -n "__fish_tank_using_subcommand image; and __fish_seen_subcommand_from load" -s v -l verbose -d 'Show progress also where standard error is not a terminal'
complete -c tank -n "__fish_tank_using_subcommand image; and __fish_seen_subcommand_from load" -s q -l quiet -d 'Show results and errors only'
complete -c tank -n "__fish_tank_using_subcommand image; and __fish_seen_subcommand_from load" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tank -n "__fish_tank_using_subcommand image; and __fish_seen_subcommand_from list" -s o -l output -d 'Print JSON for scripts' -r -f -a "json\t'One JSON object'"
complete -c tank -n "__fish_tank_using_subcommand image; and __fish_seen_subcommand_from list" -l root -d 'Directory of everything that must survive a reboot' -r -F
complete -c tank -n "__fish_tank_using_subcommand image; and __fish_seen_subcommand_from list" -l run-root -d 'Directory of everything that a reboot discards' -r -F
complete -c tank -n "__fish_tank_using_subcommand image; and __fish_seen_subcommand_from list" -l color -d 'When to use colours; NO_COLOR is obeyed' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c tank -n "__fish_tank_using_subcommand image; and __fish_seen_subcommand_from list" -s v -l verbose -d 'Show progress also where standard error is not a terminal'
complete -c tank -n "__fish_tank_using_subcommand image; and __fish_seen_subcommand_from list" -s q -l quiet -d 'Show results and errors only'
complete -c tank -n "__fish_tank_using_subcommand image; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tank -n "__fish_tank_using_subcommand image; and __fish_seen_subcommand_from ls" -s o -l output -d 'Print JSON for scripts' -r -f -a "json\t'One JSON object'"
complete -c tank -n "__fish_tank_using_subcommand image; and __fish_seen_subcommand_from ls" -l root -d 'Directory of everything that must survive a reboot' -r -F
complete -c tank -n "__fish_tank_using_subcommand image; and __fish_seen_subcommand_from ls" -l run-root -d 'Directory of everything that a reboot discards' -r -F
complete -c tank -n "__fish_tank_using_subcommand image; and __fish_seen_subcommand_from ls" -l color -d 'When to use colours; NO_COLOR is obeyed' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c tank -n "__fish_tank_using_subcommand image; and __fish_seen_subcommand_from ls" -s v -l verbose -d 'Show progress also where standard error is not a terminal'
complete -c tank -n "__fish_tank_using_subcommand image; and __fish_seen_subcommand_from ls" -s q -l quiet -d 'Show results and errors only'
complete -c tank -n "__fish_tank_using_subcommand image; and __fish_seen_subcommand_from ls" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tank -n "__fish_tank_using_subcommand image; and __fish_seen_subcommand_from inspect" -s o -l output -d 'Print JSON for scripts' -r -f -a "json\t'One JSON object'"
complete -c tank -n "__fish_tank_using_subcommand image; and __fish_seen_subcommand_from inspect" -l root -d 'Directory of everything that must survive a reboot' -r -F
complete -c tank -n "__fish_tank_using_subcommand image; and __fish_seen_subcommand_from inspect" -l run-root -d 'Directory of everything that a reboot discards' -r -F
complete -c tank -n "__fish_tank_using_subcommand image; and __fish_seen_subcommand_from inspect" -l color -d 'When to use colours; NO_COLOR is obeyed' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c tank -n "__fish_tank_using_subcommand image; and __fish_seen_subcommand_from inspect" -s v -l verbose -d 'Show progress also where standard error is not a terminal'
complete -c tank -n "__fish_tank_using_subcommand image; and __fish_seen_subcommand_from inspect" -s q -l quiet -d 'Show results and errors only'
complete -c tank -n "__fish_tank_using_subcommand image; and __fish_seen_subcommand_from inspect" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tank -n "__fish_tank_using_subcommand image; and __fish_seen_subcommand_from tag" -l lock-timeout -d 'How long to wait for another tank command that holds a lock' -r
complete -c tank -n "__fish_tank_using_subcommand image; and __fish_seen_subcommand_from tag" -s o -l output -d 'Print JSON for scripts' -r -f -a "json\t'One JSON object'"
complete -c tank -n "__fish_tank_using_subcommand image; and __fish_seen_subcommand_from tag" -l root -d 'Directory of everything that must survive a reboot' -r -F
complete -c tank -n "__fish_tank_using_subcommand image; and __fish_seen_subcommand_from tag" -l run-root -d 'Directory of everything that a reboot discards' -r -F
complete -c tank -n "__fish_tank_using_subcommand image; and __fish_seen_subcommand_from tag" -l color -d 'When to use colours; NO_COLOR is obeyed' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c tank -n "__fish_tank_using_subcommand image; and __fish_seen_subcommand_from tag" -s v -l verbose -d 'Show progress also where standard error is not a terminal'
complete -c tank -n "__fish_tank_using_subcommand image; and __fish_seen_subcommand_from tag" -s q -l quiet -d 'Show results and errors only'
complete -c tank -n "__fish_tank_using_subcommand image; and __fish_seen_subcommand_from tag" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tank -n "__fish_tank_using_subcommand image; and __fish_seen_subcommand_from rm" -l lock-timeout -d 'How long to wait for another tank command that holds a lock' -r
complete -c tank -n "__fish_tank_using_subcommand image; and __fish_seen_subcommand_from rm" -s o -l output -d 'Print JSON for scripts' -r -f -a "json\t'One JSON object'"
complete -c tank -n "__fish_tank_using_subcommand image; and __fish_seen_subcommand_from rm" -l root -d 'Directory of everything that must survive a reboot' -r -F
complete -c tank -n "__fish_tank_using_subcommand image; and __fish_seen_subcommand_from rm" -l run-root -d 'Directory of everything that a reboot discards' -r -F
complete -c tank -n "__fish_tank_using_subcommand image; and __fish_seen_subcommand_from rm" -l color -d 'When to use colours; NO_COLOR is obeyed' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c tank -n "__fish_tank_using_subcommand image; and __fish_seen_subcommand_from rm" -s v -l verbose -d 'Show progress also where standard error is not a terminal'
complete -c tank -n "__fish_tank_using_subcommand image; and __fish_seen_subcommand_from rm" -s q -l quiet -d 'Show results and errors only'
complete -c tank -n "__fish_tank_using_subcommand image; and __fish_seen_subcommand_from rm" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tank -n "__fish_tank_using_subcommand image; and __fish_seen_subcommand_from prune" -l lock-timeout -d 'How long to wait for another tank command that holds a lock' -r
complete -c tank -n "__fish_tank_using_subcommand image; and __fish_seen_subcommand_from prune" -s o -l output -d 'Print JSON for scripts' -r -f -a "json\t'One JSON object'"
complete -c tank -n "__fish_tank_using_subcommand image; and __fish_seen_subcommand_from prune" -l root -d 'Directory of everything that must survive a reboot' -r -F
complete -c tank -n "__fish_tank_using_subcommand image; and __fish_seen_subcommand_from prune" -l run-root -d 'Directory of everything that a reboot discards' -r -F
complete -c tank -n "__fish_tank_using_subcommand image; and __fish_seen_subcommand_from prune" -l color -d 'When to use colours; NO_COLOR is obeyed' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c tank -n "__fish_tank_using_subcommand image; and __fish_seen_subcommand_from prune" -s a -l all -d 'Images with names too'
complete -c tank -n "__fish_tank_using_subcommand image; and __fish_seen_subcommand_from prune" -l dry-run -d 'Say what would be removed, and change nothing'
complete -c tank -n "__fish_tank_using_subcommand image; and __fish_seen_subcommand_from prune" -s v -l verbose -d 'Show progress also where standard error is not a terminal'
complete -c tank -n "__fish_tank_using_subcommand image; and __fish_seen_subcommand_from prune" -s q -l quiet -d 'Show results and errors only'
complete -c tank -n "__fish_tank_using_subcommand image; and __fish_seen_subcommand_from prune" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tank -n "__fish_tank_using_subcommand image; and __fish_seen_subcommand_from save" -s o -l output -d 'The file, or with oci-layout the directory; standard output if left out' -r -F
complete -c tank -n "__fish_tank_using_subcommand image; and __fish_seen_subcommand_from save" -l format -d 'What to write' -r -f -a "docker-archive\t'An archive as of `docker save`, with plain layers'
oci-archive\t'A tar archive of an OCI layout'
oci-layout\t'The directory of an OCI layout, new or empty'"
complete -c tank -n "__fish_tank_using_subcommand image; and __fish_seen_subcommand_from save" -l root -d 'Directory of everything that must survive a reboot' -r -F
complete -c tank -n "__fish_tank_using_subcommand image; and __fish_seen_subcommand_from save" -l run-root -d 'Directory of everything that a reboot discards' -r -F
complete -c tank -n "__fish_tank_using_subcommand image; and __fish_seen_subcommand_from save" -l color -d 'When to use colours; NO_COLOR is obeyed' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c tank -n "__fish_tank_using_subcommand image; and __fish_seen_subcommand_from save" -s v -l verbose -d 'Show progress also where standard error is not a terminal'
complete -c tank -n "__fish_tank_using_subcommand image; and __fish_seen_subcommand_from save" -s q -l quiet -d 'Show results and errors only'
complete -c tank -n "__fish_tank_using_subcommand image; and __fish_seen_subcommand_from save" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tank -n "__fish_tank_using_subcommand image; and __fish_seen_subcommand_from help" -f -a "pull" -d 'Fetch images from registries'
complete -c tank -n "__fish_tank_using_subcommand image; and __fish_seen_subcommand_from help" -f -a "load" -d 'Load an image from a docker archive, an OCI archive or an OCI layout directory'
complete -c tank -n "__fish_tank_using_subcommand image; and __fish_seen_subcommand_from help" -f -a "list" -d 'List the images on disk'
complete -c tank -n "__fish_tank_using_subcommand image; and __fish_seen_subcommand_from help" -f -a "inspect" -d 'Show the layers and the configuration of an image'
complete -c tank -n "__fish_tank_using_subcommand image; and __fish_seen_subcommand_from help" -f -a "tag" -d 'Give an image one more name'
complete -c tank -n "__fish_tank_using_subcommand image; and __fish_seen_subcommand_from help" -f -a "rm" -d 'Remove images'
complete -c tank -n "__fish_tank_using_subcommand image; and __fish_seen_subcommand_from help" -f -a "prune" -d 'Remove images that nothing needs'
complete -c tank -n "__fish_tank_using_subcommand image; and __fish_seen_subcommand_from help" -f -a "save" -d 'Save images to a file that docker, podman, skopeo and tank read'
complete -c tank -n "__fish_tank_using_subcommand image; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c tank -n "__fish_tank_using_subcommand volume; and not __fish_seen_subcommand_from list ls inspect rm prune help" -l root -d 'Directory of everything that must survive a reboot' -r -F
complete -c tank -n "__fish_tank_using_subcommand volume; and not __fish_seen_subcommand_from list ls inspect rm prune help" -l run-root -d 'Directory of everything that a reboot discards' -r -F
complete -c tank -n "__fish_tank_using_subcommand volume; and not __fish_seen_subcommand_from list ls inspect rm prune help" -l color -d 'When to use colours; NO_COLOR is obeyed' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c tank -n "__fish_tank_using_subcommand volume; and not __fish_seen_subcommand_from list ls inspect rm prune help" -s v -l verbose -d 'Show progress also where standard error is not a terminal'
complete -c tank -n "__fish_tank_using_subcommand volume; and not __fish_seen_subcommand_from list ls inspect rm prune help" -s q -l quiet -d 'Show results and errors only'
complete -c tank -n "__fish_tank_using_subcommand volume; and not __fish_seen_subcommand_from list ls inspect rm prune help" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tank -n "__fish_tank_using_subcommand volume; and not __fish_seen_subcommand_from list ls inspect rm prune help" -f -a "list" -d 'List the named volumes, and the pods that use them'
complete -c tank -n "__fish_tank_using_subcommand volume; and not __fish_seen_subcommand_from list ls inspect rm prune help" -f -a "ls" -d 'List the named volumes, and the pods that use them'
complete -c tank -n "__fish_tank_using_subcommand volume; and not __fish_seen_subcommand_from list ls inspect rm prune help" -f -a "inspect" -d 'Show where a volume is, who uses it, and how much it holds'
complete -c tank -n "__fish_tank_using_subcommand volume; and not __fish_seen_subcommand_from list ls inspect rm prune help" -f -a "rm" -d 'Remove volumes with what they hold'
complete -c tank -n "__fish_tank_using_subcommand volume; and not __fish_seen_subcommand_from list ls inspect rm prune help" -f -a "prune" -d 'Remove volumes that no pod uses and that hold nothing'
complete -c tank -n "__fish_tank_using_subcommand volume; and not __fish_seen_subcommand_from list ls inspect rm prune help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c tank -n "__fish_tank_using_subcommand volume; and __fish_seen_subcommand_from list" -s o -l output -d 'Print JSON for scripts' -r -f -a "json\t'One JSON object'"
complete -c tank -n "__fish_tank_using_subcommand volume; and __fish_seen_subcommand_from list" -l root -d 'Directory of everything that must survive a reboot' -r -F
complete -c tank -n "__fish_tank_using_subcommand volume; and __fish_seen_subcommand_from list" -l run-root -d 'Directory of everything that a reboot discards' -r -F
complete -c tank -n "__fish_tank_using_subcommand volume; and __fish_seen_subcommand_from list" -l color -d 'When to use colours; NO_COLOR is obeyed' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c tank -n "__fish_tank_using_subcommand volume; and __fish_seen_subcommand_from list" -s v -l verbose -d 'Show progress also where standard error is not a terminal'
complete -c tank -n "__fish_tank_using_subcommand volume; and __fish_seen_subcommand_from list" -s q -l quiet -d 'Show results and errors only'
complete -c tank -n "__fish_tank_using_subcommand volume; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tank -n "__fish_tank_using_subcommand volume; and __fish_seen_subcommand_from ls" -s o -l output -d 'Print JSON for scripts' -r -f -a "json\t'One JSON object'"
complete -c tank -n "__fish_tank_using_subcommand volume; and __fish_seen_subcommand_from ls" -l root -d 'Directory of everything that must survive a reboot' -r -F
complete -c tank -n "__fish_tank_using_subcommand volume; and __fish_seen_subcommand_from ls" -l run-root -d 'Directory of everything that a reboot discards' -r -F
complete -c tank -n "__fish_tank_using_subcommand volume; and __fish_seen_subcommand_from ls" -l color -d 'When to use colours; NO_COLOR is obeyed' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c tank -n "__fish_tank_using_subcommand volume; and __fish_seen_subcommand_from ls" -s v -l verbose -d 'Show progress also where standard error is not a terminal'
complete -c tank -n "__fish_tank_using_subcommand volume; and __fish_seen_subcommand_from ls" -s q -l quiet -d 'Show results and errors only'
complete -c tank -n "__fish_tank_using_subcommand volume; and __fish_seen_subcommand_from ls" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tank -n "__fish_tank_using_subcommand volume; and __fish_seen_subcommand_from inspect" -s o -l output -d 'Print JSON for scripts' -r -f -a "json\t'One JSON object'"
complete -c tank -n "__fish_tank_using_subcommand volume; and __fish_seen_subcommand_from inspect" -l root -d 'Directory of everything that must survive a reboot' -r -F
complete -c tank -n "__fish_tank_using_subcommand volume; and __fish_seen_subcommand_from inspect" -l run-root -d 'Directory of everything that a reboot discards' -r -F
complete -c tank -n "__fish_tank_using_subcommand volume; and __fish_seen_subcommand_from inspect" -l color -d 'When to use colours; NO_COLOR is obeyed' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c tank -n "__fish_tank_using_subcommand volume; and __fish_seen_subcommand_from inspect" -s v -l verbose -d 'Show progress also where standard error is not a terminal'
complete -c tank -n "__fish_tank_using_subcommand volume; and __fish_seen_subcommand_from inspect" -s q -l quiet -d 'Show results and errors only'
complete -c tank -n "__fish_tank_using_subcommand volume; and __fish_seen_subcommand_from inspect" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tank -n "__fish_tank_using_subcommand volume; and __fish_seen_subcommand_from rm" -l lock-timeout -d 'How long to wait for another tank command that holds a lock' -r
complete -c tank -n "__fish_tank_using_subcommand volume; and __fish_seen_subcommand_from rm" -s o -l output -d 'Print JSON for scripts' -r -f -a "json\t'One JSON object'"
complete -c tank -n "__fish_tank_using_subcommand volume; and __fish_seen_subcommand_from rm" -l root -d 'Directory of everything that must survive a reboot' -r -F
complete -c tank -n "__fish_tank_using_subcommand volume; and __fish_seen_subcommand_from rm" -l run-root -d 'Directory of everything that a reboot discards' -r -F
complete -c tank -n "__fish_tank_using_subcommand volume; and __fish_seen_subcommand_from rm" -l color -d 'When to use colours; NO_COLOR is obeyed' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c tank -n "__fish_tank_using_subcommand volume; and __fish_seen_subcommand_from rm" -s v -l verbose -d 'Show progress also where standard error is not a terminal'
complete -c tank -n "__fish_tank_using_subcommand volume; and __fish_seen_subcommand_from rm" -s q -l quiet -d 'Show results and errors only'
complete -c tank -n "__fish_tank_using_subcommand volume; and __fish_seen_subcommand_from rm" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tank -n "__fish_tank_using_subcommand volume; and __fish_seen_subcommand_from prune" -l lock-timeout -d 'How long to wait for another tank command that holds a lock' -r
complete -c tank -n "__fish_tank_using_subcommand volume; and __fish_seen_subcommand_from prune" -s o -l output -d 'Print JSON for scripts' -r -f -a "json\t'One JSON object'"
complete -c tank -n "__fish_tank_using_subcommand volume; and __fish_seen_subcommand_from prune" -l root -d 'Directory of everything that must survive a reboot' -r -F
complete -c tank -n "__fish_tank_using_subcommand volume; and __fish_seen_subcommand_from prune" -l run-root -d 'Directory of everything that a reboot discards' -r -F
complete -c tank -n "__fish_tank_using_subcommand volume; and __fish_seen_subcommand_from prune" -l color -d 'When to use colours; NO_COLOR is obeyed' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c tank -n "__fish_tank_using_subcommand volume; and __fish_seen_subcommand_from prune" -s a -l all -d 'Volumes that hold something too'
complete -c tank -n "__fish_tank_using_subcommand volume; and __fish_seen_subcommand_from prune" -l dry-run -d 'Say what would be removed, and change nothing'
complete -c tank -n "__fish_tank_using_subcommand volume; and __fish_seen_subcommand_from prune" -s v -l verbose -d 'Show progress also where standard error is not a terminal'
complete -c tank -n "__fish_tank_using_subcommand volume; and __fish_seen_subcommand_from prune" -s q -l quiet -d 'Show results and errors only'
complete -c tank -n "__fish_tank_using_subcommand volume; and __fish_seen_subcommand_from prune" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tank -n "__fish_tank_using_subcommand volume; and __fish_seen_subcommand_from help" -f -a "list" -d 'List the named volumes, and the pods that use them'
complete -c tank -n "__fish_tank_using_subcommand volume; and __fish_seen_subcommand_from help" -f -a "inspect" -d 'Show where a volume is, who uses it, and how much it holds'
complete -c tank -n "__fish_tank_using_subcommand volume; and __fish_seen_subcommand_from help" -f -a "rm" -d 'Remove volumes with what they hold'
complete -c tank -n "__fish_tank_using_subcommand volume; and __fish_seen_subcommand_from help" -f -a "prune" -d 'Remove volumes that no pod uses and that hold nothing'
complete -c tank -n "__fish_tank_using_subcommand volume; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c tank -n "__fish_tank_using_subcommand network; and not __fish_seen_subcommand_from inspect help" -l root -d 'Directory of everything that must survive a reboot' -r -F
complete -c tank -n "__fish_tank_using_subcommand network; and not __fish_seen_subcommand_from inspect help" -l run-root -d 'Directory of everything that a reboot discards' -r -F
complete -c tank -n "__fish_tank_using_subcommand network; and not __fish_seen_subcommand_from inspect help" -l color -d 'When to use colours; NO_COLOR is obeyed' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c tank -n "__fish_tank_using_subcommand network; and not __fish_seen_subcommand_from inspect help" -s v -l verbose -d 'Show progress also where standard error is not a terminal'
complete -c tank -n "__fish_tank_using_subcommand network; and not __fish_seen_subcommand_from inspect help" -s q -l quiet -d 'Show results and errors only'
complete -c tank -n "__fish_tank_using_subcommand network; and not __fish_seen_subcommand_from inspect help" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tank -n "__fish_tank_using_subcommand network; and not __fish_seen_subcommand_from inspect help" -f -a "inspect" -d 'Show the bridge, its subnets, and the addresses and ports of the pods on it'
complete -c tank -n "__fish_tank_using_subcommand network; and not __fish_seen_subcommand_from inspect help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c tank -n "__fish_tank_using_subcommand network; and __fish_seen_subcommand_from inspect" -s o -l output -d 'Print JSON for scripts' -r -f -a "json\t'One JSON object'"
complete -c tank -n "__fish_tank_using_subcommand network; and __fish_seen_subcommand_from inspect" -l root -d 'Directory of everything that must survive a reboot' -r -F
complete -c tank -n "__fish_tank_using_subcommand network; and __fish_seen_subcommand_from inspect" -l run-root -d 'Directory of everything that a reboot discards' -r -F
complete -c tank -n "__fish_tank_using_subcommand network; and __fish_seen_subcommand_from inspect" -l color -d 'When to use colours; NO_COLOR is obeyed' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c tank -n "__fish_tank_using_subcommand network; and __fish_seen_subcommand_from inspect" -s v -l verbose -d 'Show progress also where standard error is not a terminal'
complete -c tank -n "__fish_tank_using_subcommand network; and __fish_seen_subcommand_from inspect" -s q -l quiet -d 'Show results and errors only'
complete -c tank -n "__fish_tank_using_subcommand network; and __fish_seen_subcommand_from inspect" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tank -n "__fish_tank_using_subcommand network; and __fish_seen_subcommand_from help" -f -a "inspect" -d 'Show the bridge, its subnets, and the addresses and ports of the pods on it'
complete -c tank -n "__fish_tank_using_subcommand network; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c tank -n "__fish_tank_using_subcommand doctor" -s o -l output -d 'Print JSON for scripts' -r -f -a "json\t'One JSON object'"
complete -c tank -n "__fish_tank_using_subcommand doctor" -l root -d 'Directory of everything that must survive a reboot' -r -F
complete -c tank -n "__fish_tank_using_subcommand doctor" -l run-root -d 'Directory of everything that a reboot discards' -r -F
complete -c tank -n "__fish_tank_using_subcommand doctor" -l color -d 'When to use colours; NO_COLOR is obeyed' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c tank -n "__fish_tank_using_subcommand doctor" -s v -l verbose -d 'Show progress also where standard error is not a terminal'
complete -c tank -n "__fish_tank_using_subcommand doctor" -s q -l quiet -d 'Show results and errors only'
complete -c tank -n "__fish_tank_using_subcommand doctor" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tank -n "__fish_tank_using_subcommand install" -l prefix -d 'Write below this directory, as for an image of another machine' -r -F
complete -c tank -n "__fish_tank_using_subcommand install" -l root -d 'Directory of everything that must survive a reboot' -r -F
complete -c tank -n "__fish_tank_using_subcommand install" -l run-root -d 'Directory of everything that a reboot discards' -r -F
complete -c tank -n "__fish_tank_using_subcommand install" -l color -d 'When to use colours; NO_COLOR is obeyed' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c tank -n "__fish_tank_using_subcommand install" -l systemd -d 'For systemd'
complete -c tank -n "__fish_tank_using_subcommand install" -l cron -d 'For cron'
complete -c tank -n "__fish_tank_using_subcommand install" -l dry-run -d 'Print the files, and write nothing'
complete -c tank -n "__fish_tank_using_subcommand install" -s v -l verbose -d 'Show progress also where standard error is not a terminal'
complete -c tank -n "__fish_tank_using_subcommand install" -s q -l quiet -d 'Show results and errors only'
complete -c tank -n "__fish_tank_using_subcommand install" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tank -n "__fish_tank_using_subcommand login" -s u -l user -d 'The user; asked for if left out' -r
complete -c tank -n "__fish_tank_using_subcommand login" -l lock-timeout -d 'How long to wait for another tank command that holds a lock' -r
complete -c tank -n "__fish_tank_using_subcommand login" -l root -d 'Directory of everything that must survive a reboot' -r -F
complete -c tank -n "__fish_tank_using_subcommand login" -l run-root -d 'Directory of everything that a reboot discards' -r -F
complete -c tank -n "__fish_tank_using_subcommand login" -l color -d 'When to use colours; NO_COLOR is obeyed' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c tank -n "__fish_tank_using_subcommand login" -l password-stdin -d 'Read the password from standard input'
complete -c tank -n "__fish_tank_using_subcommand login" -s v -l verbose -d 'Show progress also where standard error is not a terminal'
complete -c tank -n "__fish_tank_using_subcommand login" -s q -l quiet -d 'Show results and errors only'
complete -c tank -n "__fish_tank_using_subcommand login" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tank -n "__fish_tank_using_subcommand logout" -l lock-timeout -d 'How long to wait for another tank command that holds a lock' -r
complete -c tank -n "__fish_tank_using_subcommand logout" -l root -d 'Directory of everything that must survive a reboot' -r -F
complete -c tank -n "__fish_tank_using_subcommand logout" -l run-root -d 'Directory of everything that a reboot discards' -r -F
complete -c tank -n "__fish_tank_using_subcommand logout" -l color -d 'When to use colours; NO_COLOR is obeyed' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c tank -n "__fish_tank_using_subcommand logout" -s v -l verbose -d 'Show progress also where standard error is not a terminal'
complete -c tank -n "__fish_tank_using_subcommand logout" -s q -l quiet -d 'Show results and errors only'
complete -c tank -n "__fish_tank_using_subcommand logout" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tank -n "__fish_tank_using_subcommand schema" -l root -d 'Directory of everything that must survive a reboot' -r -F
complete -c tank -n "__fish_tank_using_subcommand schema" -l run-root -d 'Directory of everything that a reboot discards' -r -F
complete -c tank -n "__fish_tank_using_subcommand schema" -l color -d 'When to use colours; NO_COLOR is obeyed' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c tank -n "__fish_tank_using_subcommand schema" -l config -d 'Print the schema of config.toml instead'
complete -c tank -n "__fish_tank_using_subcommand schema" -s v -l verbose -d 'Show progress also where standard error is not a terminal'
complete -c tank -n "__fish_tank_using_subcommand schema" -s q -l quiet -d 'Show results and errors only'
complete -c tank -n "__fish_tank_using_subcommand schema" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tank -n "__fish_tank_using_subcommand completions" -l root -d 'Directory of everything that must survive a reboot' -r -F
complete -c tank -n "__fish_tank_using_subcommand completions" -l run-root -d 'Directory of everything that a reboot discards' -r -F
complete -c tank -n "__fish_tank_using_subcommand completions" -l color -d 'When to use colours; NO_COLOR is obeyed' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c tank -n "__fish_tank_using_subcommand completions" -s v -l verbose -d 'Show progress also where standard error is not a terminal'
complete -c tank -n "__fish_tank_using_subcommand completions" -s q -l quiet -d 'Show results and errors only'
complete -c tank -n "__fish_tank_using_subcommand completions" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tank -n "__fish_tank_using_subcommand man" -l root -d 'Directory of everything that must survive a reboot' -r -F
complete -c tank -n "__fish_tank_using_subcommand man" -l run-root -d 'Directory of everything that a reboot discards' -r -F
complete -c tank -n "__fish_tank_using_subcommand man" -l color -d 'When to use colours; NO_COLOR is obeyed' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c tank -n "__fish_tank_using_subcommand man" -s v -l verbose -d 'Show progress also where standard error is not a terminal'
complete -c tank -n "__fish_tank_using_subcommand man" -s q -l quiet -d 'Show results and errors only'
complete -c tank -n "__fish_tank_using_subcommand man" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tank -n "__fish_tank_using_subcommand help; and not __fish_seen_subcommand_from apply delete seed start stop restart wait events history rollback get list ps describe plan reconcile exec attach logs image volume network doctor install login logout schema completions man help" -f -a "apply" -d 'Create pods or change them to what a file says, and run one pass'
complete -c tank -n "__fish_tank_using_subcommand help; and not __fish_seen_subcommand_from apply delete seed start stop restart wait events history rollback get list ps describe plan reconcile exec attach logs image volume network doctor install login logout schema completions man help" -f -a "delete" -d 'Stop pods and remove them, and run one pass'
complete -c tank -n "__fish_tank_using_subcommand help; and not __fish_seen_subcommand_from apply delete seed start stop restart wait events history rollback get list ps describe plan reconcile exec attach logs image volume network doctor install login logout schema completions man help" -f -a "seed" -d 'Create the pods that do not exist yet, and run one pass'
complete -c tank -n "__fish_tank_using_subcommand help; and not __fish_seen_subcommand_from apply delete seed start stop restart wait events history rollback get list ps describe plan reconcile exec attach logs image volume network doctor install login logout schema completions man help" -f -a "start" -d 'Have pods run, and run one pass'
complete -c tank -n "__fish_tank_using_subcommand help; and not __fish_seen_subcommand_from apply delete seed start stop restart wait events history rollback get list ps describe plan reconcile exec attach logs image volume network doctor install login logout schema completions man help" -f -a "stop" -d 'Have pods not run, and run one pass'
complete -c tank -n "__fish_tank_using_subcommand help; and not __fish_seen_subcommand_from apply delete seed start stop restart wait events history rollback get list ps describe plan reconcile exec attach logs image volume network doctor install login logout schema completions man help" -f -a "restart" -d 'Have every container of pods replaced by a new one, and run one pass'
complete -c tank -n "__fish_tank_using_subcommand help; and not __fish_seen_subcommand_from apply delete seed start stop restart wait events history rollback get list ps describe plan reconcile exec attach logs image volume network doctor install login logout schema completions man help" -f -a "wait" -d 'Wait until pods are ready, stopped or deleted'
complete -c tank -n "__fish_tank_using_subcommand help; and not __fish_seen_subcommand_from apply delete seed start stop restart wait events history rollback get list ps describe plan reconcile exec attach logs image volume network doctor install login logout schema completions man help" -f -a "events" -d 'Print what happened to pods: started, exited, oom, stopped, lost'
complete -c tank -n "__fish_tank_using_subcommand help; and not __fish_seen_subcommand_from apply delete seed start stop restart wait events history rollback get list ps describe plan reconcile exec attach logs image volume network doctor install login logout schema completions man help" -f -a "history" -d 'Show the revisions of a pod: what it was, since when, and what each changed'
complete -c tank -n "__fish_tank_using_subcommand help; and not __fish_seen_subcommand_from apply delete seed start stop restart wait events history rollback get list ps describe plan reconcile exec attach logs image volume network doctor install login logout schema completions man help" -f -a "rollback" -d 'Make an earlier revision of a pod desired again, and run one pass'
complete -c tank -n "__fish_tank_using_subcommand help; and not __fish_seen_subcommand_from apply delete seed start stop restart wait events history rollback get list ps describe plan reconcile exec attach logs image volume network doctor install login logout schema completions man help" -f -a "get" -d 'Print the desired spec of a pod'
complete -c tank -n "__fish_tank_using_subcommand help; and not __fish_seen_subcommand_from apply delete seed start stop restart wait events history rollback get list ps describe plan reconcile exec attach logs image volume network doctor install login logout schema completions man help" -f -a "list" -d 'List the pods that should exist, and how they are'
complete -c tank -n "__fish_tank_using_subcommand help; and not __fish_seen_subcommand_from apply delete seed start stop restart wait events history rollback get list ps describe plan reconcile exec attach logs image volume network doctor install login logout schema completions man help" -f -a "ps" -d 'List the containers of all pods'
complete -c tank -n "__fish_tank_using_subcommand help; and not __fish_seen_subcommand_from apply delete seed start stop restart wait events history rollback get list ps describe plan reconcile exec attach logs image volume network doctor install login logout schema completions man help" -f -a "describe" -d 'Show the spec, the state and the recent past of a pod'
complete -c tank -n "__fish_tank_using_subcommand help; and not __fish_seen_subcommand_from apply delete seed start stop restart wait events history rollback get list ps describe plan reconcile exec attach logs image volume network doctor install login logout schema completions man help" -f -a "plan" -d 'Say what a pass would do and why, and change nothing'
complete -c tank -n "__fish_tank_using_subcommand help; and not __fish_seen_subcommand_from apply delete seed start stop restart wait events history rollback get list ps describe plan reconcile exec attach logs image volume network doctor install login logout schema completions man help" -f -a "reconcile" -d 'Run one pass: compare what should run with what does, and act on the difference'
complete -c tank -n "__fish_tank_using_subcommand help; and not __fish_seen_subcommand_from apply delete seed start stop restart wait events history rollback get list ps describe plan reconcile exec attach logs image volume network doctor install login logout schema completions man help" -f -a "exec" -d 'Run a program in a running container'
complete -c tank -n "__fish_tank_using_subcommand help; and not __fish_seen_subcommand_from apply delete seed start stop restart wait events history rollback get list ps describe plan reconcile exec attach logs image volume network doctor install login logout schema completions man help" -f -a "attach" -d 'Attach to the main process of a running container'
complete -c tank -n "__fish_tank_using_subcommand help; and not __fish_seen_subcommand_from apply delete seed start stop restart wait events history rollback get list ps describe plan reconcile exec attach logs image volume network doctor install login logout schema completions man help" -f -a "logs" -d 'Print the logs of containers'
complete -c tank -n "__fish_tank_using_subcommand help; and not __fish_seen_subcommand_from apply delete seed start stop restart wait events history rollback get list ps describe plan reconcile exec attach logs image volume network doctor install login logout schema completions man help" -f -a "image" -d 'Pull, load, list, save and remove images'
complete -c tank -n "__fish_tank_using_subcommand help; and not __fish_seen_subcommand_from apply delete seed start stop restart wait events history rollback get list ps describe plan reconcile exec attach logs image volume network doctor install login logout schema completions man help" -f -a "volume" -d 'List, inspect and remove named volumes'
complete -c tank -n "__fish_tank_using_subcommand help; and not __fish_seen_subcommand_from apply delete seed start stop restart wait events history rollback get list ps describe plan reconcile exec attach logs image volume network doctor install login logout schema completions man help" -f -a "network" -d 'Look at the network of pods'
complete -c tank -n "__fish_tank_using_subcommand help; and not __fish_seen_subcommand_from apply delete seed start stop restart wait events history rollback get list ps describe plan reconcile exec attach logs image volume network doctor install login logout schema completions man help" -f -a "doctor" -d 'Check this machine and the state, and say what is missing and what that means'
complete -c tank -n "__fish_tank_using_subcommand help; and not __fish_seen_subcommand_from apply delete seed start stop restart wait events history rollback get list ps describe plan reconcile exec attach logs image volume network doctor install login logout schema completions man help" -f -a "install" -d 'Have a pass run at boot and every minute, by systemd or by cron'
complete -c tank -n "__fish_tank_using_subcommand help; and not __fish_seen_subcommand_from apply delete seed start stop restart wait events history rollback get list ps describe plan reconcile exec attach logs image volume network doctor install login logout schema completions man help" -f -a "login" -d 'Log in to a registry'
complete -c tank -n "__fish_tank_using_subcommand help; and not __fish_seen_subcommand_from apply delete seed start stop restart wait events history rollback get list ps describe plan reconcile exec attach logs image volume network doctor install login logout schema completions man help" -f -a "logout" -d 'Log out of a registry'
complete -c tank -n "__fish_tank_using_subcommand help; and not __fish_seen_subcommand_from apply delete seed start stop restart wait events history rollback get list ps describe plan reconcile exec attach logs image volume network doctor install login logout schema completions man help" -f -a "schema" -d 'Print the JSON Schema of the pod file'
complete -c tank -n "__fish_tank_using_subcommand help; and not __fish_seen_subcommand_from apply delete seed start stop restart wait events history rollback get list ps describe plan reconcile exec attach logs image volume network doctor install login logout schema completions man help" -f -a "completions" -d 'Print the completions for a shell'
complete -c tank -n "__fish_tank_using_subcommand help; and not __fish_seen_subcommand_from apply delete seed start stop restart wait events history rollback get list ps describe plan reconcile exec attach logs image volume network doctor install login logout schema completions man help" -f -a "man" -d 'Write the manual pages into a directory'
complete -c tank -n "__fish_tank_using_subcommand help; and not __fish_seen_subcommand_from apply delete seed start stop restart wait events history rollback get list ps describe plan reconcile exec attach logs image volume network doctor install login logout schema completions man help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c tank -n "__fish_tank_using_subcommand help; and __fish_seen_subcommand_from image" -f -a "pull" -d 'Fetch images from registries'
complete -c tank -n "__fish_tank_using_subcommand help; and __fish_seen_subcommand_from image" -f -a "load" -d 'Load an image from a docker archive, an OCI archive or an OCI layout directory'
complete -c tank -n "__fish_tank_using_subcommand help; and __fish_seen_subcommand_from image" -f -a "list" -d 'List the images on disk'
complete -c tank -n "__fish_tank_using_subcommand help; and __fish_seen_subcommand_from image" -f -a "inspect" -d 'Show the layers and the configuration of an image'
complete -c tank -n "__fish_tank_using_subcommand help; and __fish_seen_subcommand_from image" -f -a "tag" -d 'Give an image one more name'
complete -c tank -n "__fish_tank_using_subcommand help; and __fish_seen_subcommand_from image" -f -a "rm" -d 'Remove images'
complete -c tank -n "__fish_tank_using_subcommand help; and __fish_seen_subcommand_from image" -f -a "prune" -d 'Remove images that nothing needs'
complete -c tank -n "__fish_tank_using_subcommand help; and __fish_seen_subcommand_from image" -f -a "save" -d 'Save images to a file that docker, podman, skopeo and tank read'
complete -c tank -n "__fish_tank_using_subcommand help; and __fish_seen_subcommand_from volume" -f -a "list" -d 'List the named volumes, and the pods that use them'
complete -c tank -n "__fish_tank_using_subcommand help; and __fish_seen_subcommand_from volume" -f -a "inspect" -d 'Show where a volume is, who uses it, and how much it holds'
complete -c tank -n "__fish_tank_using_subcommand help; and __fish_seen_subcommand_from volume" -f -a "rm" -d 'Remove volumes with what they hold'
complete -c tank -n "__fish_tank_using_subcommand help; and __fish_seen_subcommand_from volume" -f -a "prune" -d 'Remove volumes that no pod uses and that hold nothing'
complete -c tank -n "__fish_tank_using_subcommand help; and __fish_seen_subcommand_from network" -f -a "inspect" -d 'Show the bridge, its subnets, and the addresses and ports of the pods on it'
