/* step.c - see step.h */
#include "step.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ui/plan_markdown.h"
#include "ui/workflow.h"

/* GitHub takes 1,048,576 bytes of a step; this leaves others some. */
enum { SUMMARY_BYTES = 1000000 };

static void
say(struct app *app, const char *what, const char *why)
{
	struct strbuf out = {0};

	strbuf_addf(&out, "note: no step summary: %s%s%s\n", what,
	    *why != '\0' ? ": " : "", why);
	app_say(app, &out);
}

static int
append(struct app *app, int fd, const struct planning *planning, size_t max)
{
	struct plan_binding binding = planning_bind(planning);
	struct strbuf out = {0};
	int error;

	strbuf_addc(&out, '\n');	/* behind a line that has no end */
	plan_markdown(&out, planning->plan, &(struct plan_markdown_options){
	    .binding = &binding, .sources = &app->sources,
	    .file = app->options->out, .commit = app_variable("GITHUB_SHA"),
	    .max_bytes = max });
	error = app_write(fd, strbuf_str(&out));
	strbuf_release(&out);
	return error;
}

void
step_summary(const struct planning *planning)
{
	struct app *app = planning->app;
	struct str path = app_variable("GITHUB_STEP_SUMMARY");
	struct stat info;
	int fd, error = 0;

	if (!app->options->github || path.len == 0)
		return;
	fd = open(path.data, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC |
	    O_NOCTTY | O_NONBLOCK, 0600);
	if (fd < 0 || fstat(fd, &info) != 0)
		error = errno;
	else if (!S_ISREG(info.st_mode))
		error = EINVAL;
	else if (info.st_size > SUMMARY_BYTES - PLAN_MARKDOWN_BYTES_MIN - 1)
		say(app, "the step has written too much before", "");
	else
		error = append(app, fd, planning, (size_t)(SUMMARY_BYTES -
		    info.st_size - 1));
	if (error != 0)
		say(app, "cannot write GITHUB_STEP_SUMMARY", strerror(error));
	if (fd >= 0)
		close(fd);
}

/* Where we are below the root, with a slash behind; false: elsewhere. */
static bool
find_below(struct app *app, struct str root, struct str *below)
{
	char here[4096];
	struct str cwd;

	*below = (struct str){0};
	if (root.len == 0 || getcwd(here, sizeof(here)) == NULL)
		return root.len == 0;
	cwd = str_from(here);
	if (str_eq(cwd, root))
		return true;
	if (!str_starts(cwd, root) || cwd.data[root.len] != '/')
		return false;
	*below = arena_printf(&app->arena, STR_FMT "/",
	    STR_ARG(str_sub(cwd, root.len + 1, cwd.len)));
	return true;
}

void
step_annotate(struct app *app)
{
	struct str root = app_variable("GITHUB_WORKSPACE"), below;
	struct strbuf out = {0};

	if (!app->options->github || app->diags.list.n == 0)
		return;
	while (root.len > 1 && root.data[root.len - 1] == '/')
		root.len--;
	if (!find_below(app, root, &below))
		below = STR("../");	/* no file of the repository */
	workflow_annotate(&out, &app->diags, root, below);
	app_say(app, &out);
}
