/* task_log.c - see task_log.h */
#include "ssh/task_log.h"

#include "base/strbuf.h"
#include "ssh/task.h"

/* The places of task.c, in its order; the supervisor knows its log best. */
static const char find_process[] =
    "find_it() {\n"
    "\tfor b in \"$HOME/.podform\" \"/var/tmp/.podform-$(id -u)\""
    " \"/tmp/.podform-$(id -u)\"; do\n"
    "\t\tp=$b/process/process\n"
    "\t\t[ -e \"$p/loop\" ] || continue\n"
    "\t\tl=$(tr '\\0' '\\n' <\"/proc/$(cat \"$p/pid\")/cmdline\" |"
    " grep -A 2 -xF \"$p/loop\" | tail -n 1)\n"
    "\t\tcase $l in /*) ;; *) l=;; esac\n"
    "\t\t[ -n \"$l\" ] || l=${path:-$p/log}\n"
    "\t\tcase $l in /*) ;; *) l=$HOME/$l;; esac\n"
    "\t\t[ -e \"$l\" ] && return\n"
    "\tdone\n"
    "\treturn 1\n"
    "}\n";

static const char find_runner[] =
    "find_it() {\n"
    "\tfor b in /opt/podform-runner \"$HOME/.podform\""
    " \"/var/tmp/.podform-$(id -u)\" \"/tmp/.podform-$(id -u)\"; do\n"
    "\t\tl=$b/runners/$name/.podform-log\n"
    "\t\t[ -e \"$l\" ] && return\n"
    "\tdone\n"
    "\treturn 1\n"
    "}\n";

static const char print_it[] =
    "exec 2>/dev/null\n"
    "if [ -n \"$follow\" ]; then\n"
    "\tuntil find_it; do sleep 1; done\n"
    "\texec tail -n \"$lines\" -F \"$l\"\n"
    "fi\n"
    "find_it || exit 66\n"
    "exec tail -n \"$lines\" \"$l\"\n";

struct str
task_log_command(struct arena *arena, const struct task_log *log)
{
	struct strbuf script = {0}, command = {0};
	struct str text;

	if (log->runner.data != NULL && !task_is_name(log->runner))
		return (struct str){0};
	strbuf_addf(&script, "lines=%u\n", log->lines);
	task_set(&script, "", "follow", log->follow ? STR("1") : STR(""));
	if (log->runner.data != NULL) {
		task_set(&script, "", "name", log->runner);
		strbuf_adds(&script, find_runner);
	} else {
		task_set(&script, "", "path", log->path);
		strbuf_adds(&script, find_process);
	}
	strbuf_adds(&script, print_it);
	strbuf_adds(&command, "exec /bin/sh -c ");
	task_quote(&command, strbuf_str(&script));
	text = arena_str(arena, strbuf_str(&command));
	strbuf_release(&script);
	strbuf_release(&command);
	return text;
}
