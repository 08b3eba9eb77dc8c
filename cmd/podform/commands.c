/* commands.c - see commands.h */
#include "commands.h"

#define SHOWN OPTIONS_SHOW
#define APPLIES (OPTIONS_PLAN | OPTIONS_VARS | OPTIONS_SHOW | OPTIONS_APPLY)
#define PLANS (OPTIONS_PLAN | OPTIONS_VARS | OPTIONS_SHOW | OPTIONS_SAVE)

const struct command commands[] = {
	{ "init", NULL, GROUP_MAIN, NULL, 0, 0, 0, cmd_init,
	  "Make a lock file, a first spec and a .gitignore entry.",
	  "Safe to repeat: what is there already stays." },
	{ "plan", NULL, GROUP_MAIN, NULL, 0, 0, PLANS, cmd_plan,
	  "Show what apply would do, and what it would cost.",
	  "Writes nothing except --out, and never needs the lock." },
	{ "apply", NULL, GROUP_MAIN, "[PLANFILE]", 0, 1,
	  APPLIES, cmd_apply,
	  "Make the account match the spec.",
	  "With a saved plan it does exactly that, without asking, or refuses "
	  "and says what has moved since." },
	{ "destroy", NULL, GROUP_MAIN, NULL, 0, 0,
	  APPLIES, cmd_destroy,
	  "End everything that is ours.",
	  "Asks for the word yes. Protected things are named and kept: the "
	  "plan is refused until they are excluded or released." },
	{ "watch", NULL, GROUP_MAIN, NULL, 0, 0, OPTIONS_APPLY, NULL,
	  "Plan and apply in a loop, after every edit.", NULL },
	{ "drift", "diff", GROUP_MAIN, "[ack ADDRESS PATH]", 0, 3,
	  OPTIONS_VARS | OPTIONS_LIVE | OPTIONS_SHOW | OPTIONS_LOCK |
	  OPTIONS_ACK, cmd_drift,
	  "Show what changed outside of podform; exit 2 if something did.",
	  "ack accepts the value that a field has now: it is recorded with "
	  "its reason, shown as acknowledged, and neither changed back nor "
	  "counted until the given time or until it changes again. PATH is as "
	  "drift shows it, like disk or env.MODE; state is that of a pod." },
	{ "status", NULL, GROUP_MAIN, NULL, 0, 0,
	  OPTIONS_WATCH | OPTIONS_LIVE, cmd_status,
	  "One table of what is ours: state, place, age, price.", NULL },
	{ "show", NULL, GROUP_MAIN, "[PLANFILE|ADDRESS]", 0, 1, SHOWN,
	  cmd_show, "Show a saved plan or a record, offline.",
	  "A stale plan can be shown, too." },
	{ "output", NULL, GROUP_MAIN, "[NAME]", 0, 1,
	  OPTIONS_OUTPUT | OPTIONS_LIVE, cmd_output,
	  "Addresses and ids of what is running, for scripts.",
	  "NAME is like pod.trainer.ssh.host." },

	{ "validate", NULL, GROUP_SPEC, "[DIR]", 0, 1, OPTIONS_VARS,
	  cmd_validate, "Check the spec: no network, no key, no writes.",
	  NULL },
	{ "explain", NULL, GROUP_SPEC, "[KIND[.FIELD]]", 0, 1, 0,
	  cmd_explain, "What a field means and what changing it does.",
	  NULL },
	{ "schema", NULL, GROUP_SPEC, "[spec]", 0, 1, 0, cmd_schema,
	  "JSON Schema of a spec file, for editors.", NULL },
	{ "fmt", NULL, GROUP_SPEC, NULL, 0, 0, 0, NULL,
	  "Lay YAML out anew.", NULL },
	{ "render", NULL, GROUP_SPEC, NULL, 0, 0, 0, NULL,
	  "The spec after merging, with origins.", NULL },
	{ "graph", NULL, GROUP_SPEC, NULL, 0, 0,
	  OPTIONS_GRAPH | OPTIONS_VARS, cmd_graph,
	  "What depends on what, as text, DOT or JSON.", NULL },

	{ "state", NULL, GROUP_RECORD,
	  "list|show|pull|push|migrate [ADDRESS|FILE|URL]", 1, 2,
	  OPTIONS_LOCK | OPTIONS_FORCE, cmd_state,
	  "List, show or move the record of what is ours.",
	  "pull prints it, push FILE replaces it, migrate URL takes it to "
	  "another store." },
	{ "import", NULL, GROUP_RECORD, "ADDRESS ID", 2, 2,
	  OPTIONS_LOCK | OPTIONS_VARS, cmd_import,
	  "Record a pod or volume that exists as ours.",
	  "Nothing of the account is changed." },
	{ "forget", NULL, GROUP_RECORD, "ADDRESS", 1, 1,
	  OPTIONS_LOCK | OPTIONS_YES, cmd_forget,
	  "Drop a record; the thing itself stays and may bill.", NULL },
	{ "mv", NULL, GROUP_RECORD, "OLD NEW", 2, 2, OPTIONS_LOCK, cmd_mv,
	  "Give a record another address.", NULL },
	{ "unlock", "force-unlock", GROUP_RECORD, "ID", 0, 1, 0, cmd_unlock,
	  "Say who holds the lock, and break it by its id.",
	  "A holder that is alive cannot be broken: end its process." },
	{ "history", NULL, GROUP_RECORD, NULL, 0, 0, 0, cmd_history,
	  "Past applies: when, who, what came of it.", NULL },

	{ "audit", NULL, GROUP_ACCOUNT, NULL, 0, 0, 0, cmd_audit,
	  "What on the account is not ours; exit 2 if there is something.",
	  NULL },
	{ "gc", NULL, GROUP_ACCOUNT, NULL, 0, 0,
	  OPTIONS_DRY | OPTIONS_APPLY, cmd_gc,
	  "End leftovers that carry our mark but no record.",
	  "Dry unless --dry-run=false is given." },
	{ "gpus", NULL, GROUP_ACCOUNT, "[NAME]", 0, 1, 0, cmd_gpus,
	  "Stock and price of GPUs now.", NULL },
	{ "datacenters", NULL, GROUP_ACCOUNT, "[NAME]", 0, 1, 0,
	  cmd_datacenters, "Data centers, and whether volumes live there.",
	  NULL },
	{ "cost", NULL, GROUP_ACCOUNT, NULL, 0, 0, 0, NULL,
	  "Rate now and spent so far.", NULL },
	{ "lease", NULL, GROUP_ACCOUNT, "show|extend ADDRESS DURATION", 0, 3,
	  0, NULL, "Show or extend leases.", NULL },

	{ "ssh", NULL, GROUP_POD, "ADDRESS [-- ARGS]", 1, 999,
	  OPTIONS_VARS, cmd_ssh,
	  "A shell on a pod, by your own ssh.",
	  "ARGS are ssh's: options, a command, or both. The address is that of "
	  "a pod, or of a runner or tunnel, which means the pod that it is "
	  "on. The host key must be the pinned one." },
	{ "exec", NULL, GROUP_POD, "ADDRESS... -- CMD", 0, 999,
	  OPTIONS_EXEC | OPTIONS_SSH | OPTIONS_VARS, cmd_exec,
	  "Run a command on a pod, or on several at once.",
	  "CMD is a line for the shell there if it is one word, else a command "
	  "with its arguments. The exit status is the command's (of several "
	  "the highest; 128 and its number for a signal). Interrupted, it "
	  "interrupts the command, too, ends it after 10 s and kills it after "
	  "15 s, or at once when interrupted again. Where podform itself "
	  "has failed it is 1, and an error is shown, in JSON as `error` "
	  "beside an `exit_status` of null." },
	{ "cp", NULL, GROUP_POD, "SRC DST", 2, 2,
	  OPTIONS_COPY | OPTIONS_SSH | OPTIONS_VARS, cmd_cp,
	  "Copy files or directories to a pod or from it.",
	  "The end on the pod is ADDRESS:PATH. What goes where is as with "
	  "cp -r. Modes are kept, links below what is named are left out and "
	  "said, and what arrived is compared by size and digest. A file that "
	  "does not arrive whole leaves nothing." },
	{ "logs", NULL, GROUP_POD, "ADDRESS", 1, 1,
	  OPTIONS_LOGS | OPTIONS_SSH | OPTIONS_VARS, cmd_logs,
	  "What a pod and the system around it have said.",
	  "The container's and the system's log come from the service, also "
	  "of a stopped pod; the setup log was kept here by apply; those of "
	  "the process and of runners are read on the pod. A runner's address "
	  "means its own log, with --source runner." },
	{ "ssh-config", NULL, GROUP_POD, "[ADDRESS]", 0, 1,
	  OPTIONS_VARS, cmd_ssh_config,
	  "Host blocks of all pods, for ssh, editors and rsync.",
	  "Keep them in a file that ~/.ssh/config includes, and write it anew "
	  "after a pod has started anew: host and port change then. A pod that "
	  "cannot be reached is a comment." },
	{ "tunnel", NULL, GROUP_POD, "list|up|down [ADDRESS]", 0, 2,
	  OPTIONS_VARS | OPTIONS_ALL, cmd_tunnel,
	  "Tunnels that are held: list, open (up), close (down).",
	  "They outlive apply, in a background process of the project that "
	  "goes with the last of them. `down --all` closes every one and ends "
	  "it." },
	{ "suspend", NULL, GROUP_POD, NULL, 0, 1, 0, NULL,
	  "Pause watch.", NULL },
	{ "resume", NULL, GROUP_POD, NULL, 0, 1, 0, NULL,
	  "Go on with watch.", NULL },
	{ "reconcile", NULL, GROUP_POD, NULL, 0, 1, 0, NULL,
	  "Make watch look now.", NULL },

	{ "why", NULL, GROUP_OTHER, "ADDRESS", 1, 1,
	  OPTIONS_VARS | OPTIONS_LIVE, cmd_why,
	  "Why a resource is as it is, and what would happen to it.", NULL },
	{ "doctor", NULL, GROUP_OTHER, NULL, 0, 0, OPTIONS_VARS, cmd_doctor,
	  "Check key, service, spec and lock; where each setting is from.",
	  NULL },
	{ "completion", NULL, GROUP_OTHER, "bash|zsh|fish", 1, 1, 0,
	  cmd_completion, "A completion script for your shell.", NULL },
	{ "version", NULL, GROUP_OTHER, NULL, 0, 0, 0, cmd_version,
	  "The version of podform.", NULL },
	{ "help", NULL, GROUP_OTHER, "[COMMAND]", 0, 1, 0, cmd_help,
	  "Help about podform or one command.", NULL },

	{ "docs", NULL, GROUP_HIDDEN, "PAGE", 1, 1, 0, cmd_docs,
	  "Pages of docs/ that are made from tables.", NULL },
};
const size_t commands_count = COUNTOF(commands);

const struct command *
command_find(struct str name)
{
	for (size_t i = 0; i < commands_count; i++)
		if (str_is(name, commands[i].name) ||
		    (commands[i].alias != NULL &&
		    str_is(name, commands[i].alias)))
			return &commands[i];
	return NULL;
}

const char *
command_group_title(enum command_group group)
{
	static const char *const titles[] = {
		[GROUP_MAIN] = "The main job",
		[GROUP_SPEC] = "The spec",
		[GROUP_RECORD] = "The record",
		[GROUP_ACCOUNT] = "The account",
		[GROUP_POD] = "Pods and watch",
		[GROUP_OTHER] = "Help",
		[GROUP_HIDDEN] = "For the build",
	};
	return titles[group];
}
