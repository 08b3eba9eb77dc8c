/* task.c - see task.h; runners are in task_runner.c */
#include "ssh/task.h"

#include <string.h>

/* -------------------------------------------------------------- commands -- */

/* No single quote may be in it: it stands between two. */
static const char envelope[] =
    "umask 077; exec 2>&1; d=\n"
    "for t in \"$HOME\" /tmp /dev/shm; do\n"
    "if [ -n \"$t\" ] && mkdir \"$t/.podform-%s\" 2>/dev/null; then\n"
    "d=$t/.podform-%s; break; fi; done\n"
    "[ -n \"$d\" ] || { echo \"podform: neither $HOME nor /tmp can be "
    "written to\"; exit 73; }\n"
    "if cat >\"$d/x\" && [ \"$(tail -n 1 \"$d/x\")\" = \"#end %s\" ]\n"
    "then :; else rm -rf \"$d\"; echo \"podform: the script did not arrive "
    "whole\"; exit 74; fi\n"
    "echo $$ >\"$d/pid\"\n"
    "/bin/sh \"$d/x\" </dev/null; s=$?\n"
    "rm -rf \"$d\"; exit $s";

/* TERM first, so that what runs there may clean up. */
static const char kill_text[] =
    "for t in \"$HOME\" /tmp /dev/shm; do d=$t/.podform-%s\n"
    "p=$(cat \"$d/pid\" 2>/dev/null) || continue\n"
    "kill -TERM \"-$p\" 2>/dev/null || kill -TERM \"$p\"\n"
    "sleep 1; kill -KILL \"-$p\" 2>/dev/null; rm -rf \"$d\"; done";

struct str
task_command(struct arena *arena, const char *token)
{
	struct str text = arena_printf(arena, envelope, token, token, token);
	/* exec: the process is the leader of its session, as the group that
	 * is to be ended is called. */
	return arena_printf(arena, "exec /bin/sh -c '" STR_FMT "'",
	    STR_ARG(text));
}

struct str
task_kill_command(struct arena *arena, const char *token)
{
	struct str text = arena_printf(arena, kill_text, token);
	return arena_printf(arena, "exec /bin/sh -c '" STR_FMT "'",
	    STR_ARG(text));
}

/* --------------------------------------------------------------- scripts -- */

void
task_quote(struct strbuf *out, struct str text)
{
	strbuf_addc(out, '\'');
	for (size_t i = 0; i < text.len; i++)
		if (text.data[i] == '\'')
			strbuf_adds(out, "'\\''");
		else
			strbuf_addc(out, text.data[i]);
	strbuf_addc(out, '\'');
}

void
task_set(struct strbuf *out, const char *prefix, const char *name,
    struct str value)
{
	strbuf_adds(out, prefix);
	strbuf_adds(out, name);
	strbuf_addc(out, '=');
	task_quote(out, value);
	strbuf_addc(out, '\n');
}

bool
task_is_name(struct str name)
{
	if (name.len == 0 || name.len > 64 || name.data[0] == '.' ||
	    name.data[0] == '-')
		return false;
	for (size_t i = 0; i < name.len; i++) {
		char c = name.data[i];
		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
			(c >= '0' && c <= '9') || c == '.' || c == '_' ||
			c == '-'))
			return false;
	}
	return true;
}

static bool
is_variable(struct str name)
{
	for (size_t i = 0; i < name.len; i++) {
		char c = name.data[i];
		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
			c == '_' || (i > 0 && c >= '0' && c <= '9')))
			return false;
	}
	return name.len > 0;
}

/* What RunPod's start script writes down of the container's environment,
 * and then ours, which wins. */
static bool
put_environment(struct strbuf *out, const struct ssh_request *request,
    const char **why)
{
	strbuf_adds(out, "[ ! -r /etc/rp_environment ] || "
	    ". /etc/rp_environment\n");
	for (size_t i = 0; i < request->nenv; i++) {
		const struct env_var *var = &request->env[i];
		if (!is_variable(var->name)) {
			*why = "a variable's name is none for a shell";
			return false;
		}
		strbuf_adds(out, "export ");
		strbuf_add(out, var->name);
		strbuf_addc(out, '=');
		task_quote(out, var->value);
		strbuf_addc(out, '\n');
	}
	return true;
}

/* The line that ends a here-document; no line of ours is like it. */
static void
put_file(struct strbuf *out, const char *path, const char *token,
    struct str text)
{
	strbuf_addf(out, "cat >%s <<'PODFORM-%s'\n", path, token);
	strbuf_add(out, text);
	if (!str_ends(text, STR("\n")))
		strbuf_addc(out, '\n');
	strbuf_addf(out, "PODFORM-%s\n", token);
}

/* -------------------------------------------------------------- process ---- */

/*
 * Supervision, started in a session of its own: it outlives the login.  The
 * log is copied and cut rather than renamed, since the process has it open.
 */
static const char loop[] =
    "p=$1 log=$2 wait=1\n"
    "echo $$ >\"$p/pid\"\n"
    "rotate() {\n"
    "\tn=$(wc -c <\"$log\" 2>/dev/null) && [ \"$n\" -gt 10485760 ] ||"
    " return 0\n"
    "\tfor i in 4 3 2 1; do [ ! -e \"$log.$i\" ] ||"
    " mv -f \"$log.$i\" \"$log.$((i + 1))\"; done\n"
    "\tcp \"$log\" \"$log.1\" && : >\"$log\"\n"
    "}\n"
    "(while [ -e \"$p/pid\" ]; do rotate; sleep 10; done) &\n"
    "while [ -e \"$p/run\" ]; do\n"
    "\tbegan=$(date +%s)\n"
    "\t/bin/sh \"$p/run\" </dev/null >>\"$log\" 2>&1\n"
    "\ts=$?\n"
    "\t[ $(($(date +%s) - began)) -lt 30 ] || wait=1\n"
    "\techo \"podform: ended with status $s, begins again in $wait s\""
    " >>\"$log\"\n"
    "\tsleep $wait\n"
    "\twait=$((wait * 2)); [ $wait -le 60 ] || wait=60\n"
    "done\n";

/* A directory that stays: ours alone, and below one that can be written. */
static const char place[] =
    "base=\n"
    "for b in \"$HOME/.podform\" \"/var/tmp/.podform-$(id -u)\""
    " \"/tmp/.podform-$(id -u)\"; do\n"
    "\tif mkdir -p \"$b\" 2>/dev/null && [ -O \"$b\" ] && [ -w \"$b\" ]"
    " && [ ! -L \"$b\" ]; then base=$b; break; fi\n"
    "done\n"
    "[ -n \"$base\" ] || { echo 'podform: no directory can be written to';"
    " exit 73; }\n";

static const char end_older[] =
    "p=$base/process/$name\n"
    "mkdir -p \"$p\" || exit 73\n"
    "old=$(cat \"$p/pid\" 2>/dev/null)\n"
    "if [ -n \"$old\" ] && tr '\\0' ' ' <\"/proc/$old/cmdline\" 2>/dev/null |"
    " grep -qF \"$p/loop\"; then\n"
    "\trm -f \"$p/pid\"\n"
    "\tkill -TERM \"-$old\" 2>/dev/null\n"
    "\ti=0; while kill -0 \"-$old\" 2>/dev/null && [ $i -lt 50 ]; do"
    " sleep 0.2; i=$((i + 1)); done\n"
    "\tkill -KILL \"-$old\" 2>/dev/null\n"
    "fi\n"
    "rm -f \"$p/pid\" \"$p/run\"\n";

static const char begin[] =
    "[ -n \"$log\" ] || log=$p/log\n"
    "case $log in /*) ;; *) log=$HOME/$log;; esac\n"
    "mkdir -p \"${log%/*}\" 2>/dev/null\n"
    ": >>\"$log\" || { echo \"podform: the log $log cannot be written\";"
    " exit 73; }\n"
    "cd \"$HOME\" 2>/dev/null || cd /\n"
    "if command -v setsid >/dev/null 2>&1; then\n"
    "\tsetsid /bin/sh \"$p/loop\" \"$p\" \"$log\" </dev/null >/dev/null"
    " 2>&1 &\n"
    "else\n"
    "\tset -m; nohup /bin/sh \"$p/loop\" \"$p\" \"$log\" </dev/null"
    " >/dev/null 2>&1 &\n"
    "fi\n"
    "i=0; while [ ! -s \"$p/pid\" ] && [ $i -lt 50 ]; do sleep 0.1;"
    " i=$((i + 1)); done\n"
    "[ -s \"$p/pid\" ] || { echo 'podform: it did not start'; exit 1; }\n";

static bool
process_script(struct strbuf *out, const struct ssh_request *request,
    const char *token, const char **why)
{
	struct strbuf run = {0};
	bool ok = put_environment(&run, request, why);

	strbuf_add(&run, request->script);
	task_set(out, "", "name", request->name.len > 0 ? request->name :
	    STR("process"));
	task_set(out, "", "log", request->log);
	strbuf_adds(out, place);
	strbuf_adds(out, end_older);
	put_file(out, "\"$p/run\"", token, strbuf_str(&run));
	put_file(out, "\"$p/loop\"", token, str_from(loop));
	strbuf_adds(out, begin);
	if (run.data != NULL)
		explicit_bzero(run.data, run.len);
	strbuf_release(&run);
	return ok;
}

/* ---------------------------------------------------------------- setup ---- */

/*
 * A step whose podform was killed or interrupted, or whose connection broke,
 * goes on by itself, and the next apply gives it again: two of it at a time
 * would stand in each other's way, so what is left of the first is ended.
 * Its directory says which process that is, and the token in its words that
 * it is still the same one.  In a subshell, to leave no variable behind.
 */
static const char end_other_steps[] =
    "(for s in \"$HOME\"/.podform-*/setup /tmp/.podform-*/setup"
    " /dev/shm/.podform-*/setup; do\n"
    "\td=${s%/setup}\n"
    "\t[ -f \"$s\" ] && [ -O \"$d\" ] && [ ! -L \"$d\" ] || continue\n"
    "\tp=$(cat \"$d/pid\" 2>/dev/null)\n"
    "\tcase $p in ''|*[!0-9]*) p=0;; esac\n"
    "\tif [ \"$p\" -gt 1 ] && tr '\\0' ' ' <\"/proc/$p/cmdline\""
    " 2>/dev/null | grep -qF \"${d##*/}\"; then\n"
    "\t\techo 'podform: a setup step of an earlier run was still going on"
    " here, and is ended'\n"
    "\t\tkill -TERM \"-$p\" 2>/dev/null\n"
    "\t\ti=0; while kill -0 \"-$p\" 2>/dev/null && [ $i -lt 50 ]; do"
    " sleep 0.2; i=$((i + 1)); done\n"
    "\t\tkill -KILL \"-$p\" 2>/dev/null\n"
    "\tfi\n"
    "\trm -rf \"$d\"\n"
    "done)\n"
    ": >\"${0%/x}/setup\"\n";

bool
task_script(struct strbuf *out, const struct ssh_request *request,
    const char *token, struct str package, const char **why)
{
	bool ok = true;

	*why = "it holds a NUL byte";
	if (str_find(request->script, '\0') >= 0)
		return false;
	strbuf_adds(out, "rm -f \"$0\"\n");
	switch (request->task) {
	case SSH_RUN:
		if (str_starts(request->name, STR("setup")))
			strbuf_adds(out, end_other_steps);
		ok = put_environment(out, request, why);
		strbuf_add(out, request->script);
		break;
	case SSH_PROCESS:
		*why = "the name of a process is letters and digits";
		ok = (request->name.len == 0 || task_is_name(request->name)) &&
		    process_script(out, request, token, why);
		break;
	default:
		strbuf_adds(out, place);
		ok = task_runner_script(out, request, token, package, why);
		break;
	}
	strbuf_addf(out, "\n#end %s\n", token);
	return ok;
}

/* --------------------------------------------------------------- answers -- */

void
task_read_look(struct str output, struct ssh_answer *answer)
{
	while (output.len > 0) {
		struct str line = str_cut(output, '\n', &output);
		if (str_is(line, "listener=1"))
			answer->listener = true;
		else if (str_is(line, "worker=1"))
			answer->worker = true;
		else if (str_starts(line, STR("line=")))
			answer->line = str_sub(line, 5, line.len);
	}
}
