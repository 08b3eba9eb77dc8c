/*
 * error_codes.c - the table of codes beside those of specs.
 *
 * A code never changes its meaning and is never used again for another.
 */
#include "error_codes.h"

#include "base/arena.h"
#include "spec/codes.h"

static const struct error_code other_codes[] = {
	{ "PF0201", "The spec asks for something that this version checks and "
	  "does not carry out.",
	  "Take it out, or leave its resource out with `--exclude`." },
	{ "PF0202", "`--target`, `--exclude` or `--replace` names nothing that "
	  "is in the spec or on record.",
	  "`podform state list` and `podform graph` show the addresses." },
	{ "PF0203", "A GPU type that the service does not have.",
	  "`podform gpus` lists them; ids and display names both do." },
	{ "PF0204", "There is no data center in a region.",
	  "`podform datacenters` lists them with their regions." },
	{ "PF0205", "Warning: a data center that the catalog does not know.",
	  "Correct it, if it is not a new one." },
	{ "PF0206", "A volume would shrink.",
	  "A volume only grows. Make another one and copy its files." },
	{ "PF0207", "A volume would move to another data center.",
	  "Make another one there and copy its files." },
	{ "PF0208", "`--replace` of a volume: its data would be lost.",
	  "Make another one, copy its files, and take the old one out." },
	{ "PF0209", "A `copy` step names a file that is not there.",
	  "Put it there: paths begin at the directory of the spec file." },
	{ "PF0210", "GitHub does not offer that version of the runner.",
	  "Use one of those named, or `latest`." },
	{ "PF0211", "The organization has no such runner group.",
	  "Correct `group`, or make the group in GitHub's settings." },
	{ "PF0212", "A text names the automatic port of a tunnel that is not "
	  "open and is not opened by this plan.",
	  "`--tunnels=true` opens it; or give it a port of its own." },

	{ "PF0401", "A secret has no value: its variable is not set, its file "
	  "cannot be read, or its command has failed. A warning where nothing "
	  "needs the value now.",
	  "Give it its value; the message says why there is none." },

	{ "PF0501", "RunPod refused a request or could not be asked.",
	  "`podform doctor` looks at the key, the clock and the service." },
	{ "PF0505", "A pod carries half of the mark of a create that was never "
	  "finished, so podform cannot tell whose it is.",
	  "Look at it in the console: delete it or give it another name." },
	{ "PF0510", "There are runners, and no credential for GitHub.",
	  "Set `GITHUB_TOKEN`; docs/runners.md has the other ways, and what a "
	  "token must be allowed." },
	{ "PF0511", "GitHub refused a request or could not be asked.",
	  "Its own words are shown, with the permission that it wants." },

	{ "PF0601", "The lock file was edited by hand or is damaged.",
	  "Restore `podform.lock.backup`, or the last commit of it." },
	{ "PF0602", "The lock file or the journal was written by a newer "
	  "podform.", "Use that version. The file was left as it is." },
	{ "PF0603", "The lock file holds conflict markers of a merge.",
	  "Take one side whole; what the other side made, `podform import` "
	  "takes in." },
	{ "PF0604", "The lock file or the journal is no plain file of yours, "
	  "is open to changes by others, or is too large.",
	  "The message says which, and what to type." },
	{ "PF0605", "The lock file or the journal cannot be read.",
	  "The system's reason is in the message." },
	{ "PF0606", "The lock file cannot be written, or somebody changed it "
	  "meanwhile.",
	  "What was done is kept in the journal: put the file back and run "
	  "podform again." },
	{ "PF0607", "The lock file holds a resource or an id twice.",
	  "Restore `podform.lock.backup`, or the last commit of it." },
	{ "PF0608", "The journal is damaged.",
	  "Move it away, as shown; `podform audit` then lists what the last "
	  "run made." },
	{ "PF0609", "The journal does not belong to this lock file: that is "
	    "missing, older, or another one; or the lock file was taken away "
	    "or exchanged while podform ran.",
	    "Put the lock file back that the last run used." },
	{ "PF0610", "The journal cannot be written, or was moved away, so "
	    "nothing is changed.",
	    "Make room, repair the file system, or put the file back." },
	{ "PF0611", "Another podform works on this project.",
	  "Wait for it, with `--lock-timeout` if you like." },
	{ "PF0612", "`.podform` or the project's directory cannot be written, "
	  "or is not yours alone.",
	  "The message says what to type." },
	{ "PF0613", "There is no lock file, but a backup of one.",
	  "Copy the backup, or take the lock file from git. Only if nothing of "
	  "it is there any more, move the backup away." },
	{ "PF0614", "`.podform/mutex` cannot be used.",
	  "The system's reason is in the message." },
	{ "PF0620", "The store of the record does not answer.",
	  "Try again; nothing was sent without its answer." },
	{ "PF0621", "The record is too large for its store.",
	  "Use a store that takes more, or two projects." },
	{ "PF0622", "The store of the record refuses a request.",
	  "The message holds its words; look at the credentials." },
	{ "PF0623", "Warning: the hold on a store was not given back.",
	  "`podform unlock ID`, when that run has ended." },
	{ "PF0624", "The hold on the store is lost, or somebody else wrote to "
	  "it.", "Let the other run end, then run podform again." },
	{ "PF0625", "The store cannot tell two writers apart.",
	  "Use one that knows conditional writes." },
	{ "PF0626", "What answers is no etcd 3.", "Look at the address." },
	{ "PF0627", "The store shows an older record than this machine has "
	  "seen.", "Put the newest back with `podform state push`." },
	{ "PF0628", "An earlier run left a record that its store did not take.",
	  "`podform state push FILE`, then remove the file." },
	{ "PF0629", "The store did not take what a run did.",
	  "The record is in the file that the message names." },
	{ "PF0630", "`--lock` names no place for a record.",
	  "A path, or an https:, s3: or etcd: address." },
	{ "PF0631", "Where a record shall go there is one.",
	  "Move it away, or use `podform state push`." },
	{ "PF0632", "There is no record there.", "Look at the address." },
	{ "PF0633", "The file is the record of another project, or older than "
	  "what is there.", "`--force`, if you are sure." },
	{ "PF0634", "A record cannot go from one store to another in one step.",
	  "Take it to a file first." },

	{ "PF0701", "The file is no saved plan.",
	  "`podform plan --out FILE` writes one." },
	{ "PF0702", "The saved plan has a format that this version does not "
	  "read.", "Make a new one." },
	{ "PF0703", "The saved plan cannot be read.",
	  "The system's reason is in the message." },
	{ "PF0704", "The plan cannot be saved.",
	  "The system's reason is in the message." },
	{ "PF0705", "The saved plan was changed after it was written.",
	  "Make a new one: what it shows may not be what was planned. Laying "
	  "it out anew is no change." },

	{ "PF0801", "An option that does not exist, or not for this command.",
	  "`podform COMMAND --help` lists them." },
	{ "PF0802", "An API key was given as an argument.",
	  "Set `RUNPOD_API_KEY`, or name its file in `RUNPOD_API_KEY_FILE`. "
	  "Other processes may have seen this one: make a new key." },
	{ "PF0803", "A value or an argument is missing, too many, or does not "
	  "fit.", "`podform COMMAND --help` says what it takes." },
	{ "PF0804", "A command, or a word behind one, that does not exist.",
	  "`podform help` lists the commands." },
	{ "PF0805", "Not built yet.", "There is no way around it." },
	{ "PF0806", "The directory of `--chdir` cannot be entered.",
	  "The system's reason is in the message." },
	{ "PF0807", "Standard input cannot be read, or holds more than 16 "
	  "MiB.", "Write the spec into files." },
	{ "PF0808", "There is no such field.",
	  "`podform explain` lists the kinds, `podform explain pod` the fields "
	  "of a pod." },
	{ "PF0809", "Standard output cannot be written.",
	  "What was done is done; only the text is missing." },
	{ "PF0810", "The plan is refused by a rule: the budget, a protected "
	  "resource, the balance, a policy, a limit of deletions.",
	  "The message names the rule, and the option where there is one." },
	{ "PF0820", "The API key is empty or holds a character that no key "
	  "has.", "Copy it again." },
	{ "PF0821", "The file of the API key cannot be used.",
	  "It must be yours and closed to others: `chmod 600` it." },
	{ "PF0822", "The user configuration cannot be used.",
	  "It may have `api_key_file` and `api_url`." },
	{ "PF0823", "The file of `--log-file` cannot be opened.",
	  "The system's reason is in the message." },
	{ "PF0824", "There is no RunPod API key.",
	  "Make one in RunPod's console and set `RUNPOD_API_KEY`." },
	{ "PF0825", "The address of the API cannot be used.",
	  "Correct `RUNPOD_API_URL` or `GITHUB_API_URL`." },
	{ "PF0830", "The file of `--events` cannot be written.",
	  "The system's reason is in the message." },
	{ "PF0831", "Declined; nothing was done.", "" },
	{ "PF0832", "Nobody can be asked here, so nothing was done.",
	  "Give `--auto-approve`, or apply a saved plan." },
	{ "PF0833", "All that is ours would be destroyed.",
	  "If that is meant: `podform destroy`, or `--allow-empty`." },
	{ "PF0834", "`apply` with `--refresh=false`.",
	  "An apply has to see the account; that option is for `plan`." },
	{ "PF0840", "The saved plan was made with `--refresh=false`.",
	  "It can be read, not applied: make one without." },
	{ "PF0841", "The saved plan has expired.",
	  "Make a new one; `--expires` makes them last longer." },
	{ "PF0842", "An option that a saved plan has decided already.",
	  "Leave it out, or make a new plan with it." },
	{ "PF0843", "The saved plan belongs to another lock file.",
	  "Apply it where it was made." },
	{ "PF0844", "The saved plan was applied already.",
	  "A plan is used once: make a new one." },
	{ "PF0845", "The lock file has moved on since the plan was saved.",
	  "`podform history` says by whom; make a new plan." },
	{ "PF0846", "The spec has changed since the plan was saved.",
	  "Make a new plan." },
	{ "PF0847", "The saved plan is for another RunPod account.",
	  "Use the key of that account." },
	{ "PF0848", "The account has changed since the plan was saved.",
	  "The differences are shown; make a new plan." },
	{ "PF0849", "The plan would be another one now.",
	  "The differences are shown; make a new plan." },
	{ "PF0850", "There is no record of that address.",
	  "`podform state list` shows what there is." },
	{ "PF0851", "An address that is taken, an id that is recorded already, "
	  "or another kind of resource.",
	  "`podform state list` shows what there is." },
	{ "PF0852", "Breaking the lock needs the id of its holder.",
	  "`podform unlock` shows it." },
	{ "PF0853", "The holder of the lock is alive.",
	  "Let it finish, or stop it as shown." },
	{ "PF0854", "There is no such output.",
	  "`podform output` lists what there is." },
	{ "PF0855", "An address that the spec does not have.",
	  "Add the resource to the spec first." },
	{ "PF0856", "What is to be imported is not there, has ended, or "
	  "carries a mark of podform already.",
	  "If it is of this project, an apply takes it in by itself." },
	{ "PF0857", "A file of a new project cannot be written.",
	  "The system's reason is in the message." },
	{ "PF0858", "Drift that is to be accepted is not there.",
	  "`podform drift` shows what has changed, with its paths." },
	{ "PF0859", "Drift that cannot be accepted: the thing is gone, the spec "
	  "was changed, too, or the value may be a secret.",
	  "Change the spec; `ignore_drift` leaves a field alone." },
	{ "PF0860", "Not an address of a pod, or of several.",
	  "Addresses are like `trainer`, `pod.trainer` or `pod.trainer[1]`; "
	  "of a runner or tunnel its pod is meant." },
	{ "PF0861", "The pod cannot be entered now: it does not run, has no "
	  "port for SSH, or is gone.",
	  "`podform status` shows how it is." },
	{ "PF0862", "Warning: the spec cannot be used, so users and keys that "
	  "it names are not known.",
	  "`podform validate` shows its mistakes." },
	{ "PF0863", "There is no setup log of that pod here.",
	  "It is on the machine that ran the setup, in `.podform/logs/`." },
	{ "PF0864", "The host key of a pod cannot be read.",
	  "Is OpenSSH's client installed, and can the pod be reached?" },
	{ "PF0865", "The host key of a pod is not the pinned one; nothing was "
	  "sent.",
	  "Somebody may be in between: see docs/ssh.md. A container that "
	  "started anew has a new key, which podform learns by itself." },
	{ "PF0866", "`ssh` cannot be run.",
	  "Install OpenSSH's client; `podform exec` needs none." },
	{ "PF0867", "A command could not be run on a pod, or nobody knows how "
	  "it ended.", "The message says why, per pod." },
	{ "PF0868", "A copy has failed.",
	  "The message names the file; nothing half is left under its "
	  "name." },
	{ "PF0871", "The project's SSH key cannot be made.",
	  "It belongs into `$XDG_DATA_HOME/podform/`, which must be "
	  "writable." },
	{ "PF0872", "A private key that the spec or `SSH_KEY_PATH` names cannot "
	  "be used: it is missing, open to others, of RSA, or has a passphrase "
	  "that nobody can be asked for.",
	  "The message says what to type." },
	{ "PF0873", "Warning: a private key that the spec names is not on this "
	  "machine. An apply that enters the pod needs it.",
	  "Correct `ssh.key`, or leave it so where another machine applies." },
	{ "PF0880", "The holder of tunnels cannot be started or reached.",
	  "`.podform/tunnels.log` has its words." },
	{ "PF0881", "Nobody knows which tunnels are held.",
	  "The message says why the holder gives no answer." },
	{ "PF0882", "A tunnel is not in the spec, or is not up yet.",
	  "`podform tunnel list` shows its state and its last error." },
	{ 0 }
};

static const struct {
	const char *digits, *title;
} sections[] = {
	{ "01", "The spec" },
	{ "02", "What it asks for" },
	{ "04", "Secrets" },
	{ "05", "RunPod and GitHub" },
	{ "06", "Lock file and journal" },
	{ "07", "Files of saved plans" },
	{ "08", "Commands" },
};

static void
add_section(struct strbuf *out, const char *digits,
    const struct error_code *table)
{
	for (const struct error_code *row = table; row->code; row++)
		if (str_starts(str_from(row->code + 2), str_from(digits)))
			strbuf_addf(out, "| %s | %s | %s |\n", row->code,
			    row->meaning, row->way_out);
}

void
error_codes_page(struct strbuf *out)
{
	strbuf_adds(out, "# Errors\n\nMade by `podform docs errors` from the "
	    "tables in `cmd/podform/error_codes.c` and `pkg/spec/codes.c`; "
	    "do not edit.\n\n"
	    "Messages end with a code, which keeps its meaning for good. "
	    "`podform explain PF0611` shows a row of this page. What goes "
	    "wrong while a plan is carried out is told in words, with the "
	    "line of the spec that asked for it.\n");
	for (size_t i = 0; i < COUNTOF(sections); i++) {
		strbuf_addf(out, "\n## %s\n\n"
		    "| Code | What it means | The way out |\n"
		    "| --- | --- | --- |\n", sections[i].title);
		add_section(out, sections[i].digits, spec_codes);
		add_section(out, sections[i].digits, other_codes);
	}
}

static const struct error_code *
find(const struct error_code *table, struct str code)
{
	for (const struct error_code *row = table; row->code; row++)
		if (str_is(code, row->code))
			return row;
	return NULL;
}

bool
error_codes_explain(struct strbuf *out, struct str code)
{
	const struct error_code *row = find(spec_codes, code);

	if (row == NULL)
		row = find(other_codes, code);
	if (row == NULL)
		return false;
	strbuf_addf(out, "%s  %s\n%s%s%s", row->code, row->meaning,
	    row->way_out[0] != '\0' ? "        " : "", row->way_out,
	    row->way_out[0] != '\0' ? "\n" : "");
	return true;
}
