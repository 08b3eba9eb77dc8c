/* init.c - podform init: what a project needs, where it is not there yet. */
#include <errno.h>

#include "app.h"
#include "commands.h"

static const char sample[] =
    "# What you want; podform makes RunPod match. `podform explain pod` says\n"
    "# what else a pod can have.\n"
    "project: %s\n"
    "\n"
    "settings:\n"
    "  budget: { per_hour: 1.00 }    # US dollars; a plan above is refused\n"
    "\n"
    "pods:\n"
    "  first:\n"
    "    image: runpod/pytorch:2.4.0-py3.11-cuda12.4.1-devel-ubuntu22.04\n"
    "    gpu: [NVIDIA RTX A4000, NVIDIA RTX A5000]   # in order of preference\n"
    "    disk: 20GB\n"
    "    ports: [22/tcp]\n";

/* Make a file that must not be there yet. */
static int
write_new(struct app *app, const char *path, unsigned mode, struct str text)
{
	const struct fs *fs = &app->fs;
	int fd = fs->open(fs->ctx, path, FS_APPEND | FS_CREATE | FS_EXCLUSIVE,
	    mode);
	int rc;

	if (fd < 0)
		return fd;
	rc = fs_write_all(fs, fd, text);
	if (rc == 0)
		rc = fs->sync(fs->ctx, fd);
	fs->close(fs->ctx, fd);
	return rc;
}

static void
told(struct app *app, struct strbuf *out, const char *what, int rc,
    const char *path)
{
	if (rc == 0)
		strbuf_addf(out, "made     %s%s\n", path, what);
	else if (rc == -EEXIST)
		strbuf_addf(out, "is there %s\n", path);
	else
		diag_errno(&app->diags, "PF0857", NO_SPAN, -rc,
		    "cannot make '%s'", path);
}

/* The name of the directory, as far as a project may be called that. */
static struct str
project_name(struct app *app)
{
	struct str path = {0}, name;
	struct strbuf out = {0};

	app->fs.resolve(app->fs.ctx, &app->arena, ".", &path);
	name = str_sub(path, (size_t)(str_rfind(path, '/') + 1), path.len);
	for (size_t i = 0; i < name.len && out.len < 30; i++) {
		char byte = name.data[i];
		if (byte >= 'A' && byte <= 'Z')
			byte = (char)(byte - 'A' + 'a');
		if ((byte >= 'a' && byte <= 'z') ||
		    (byte >= '0' && byte <= '9'))
			strbuf_addc(&out, byte);
		else if (out.len > 0 && out.data[out.len - 1] != '-')
			strbuf_addc(&out, '-');
	}
	while (out.len > 0 && out.data[out.len - 1] == '-')
		out.len--;
	name = out.len > 0 ? arena_str(&app->arena, strbuf_str(&out)) :
	    STR("project");
	strbuf_release(&out);
	return name;
}

static void
make_spec(struct app *app, struct strbuf *out)
{
	struct fs_info info;
	struct strbuf text = {0};
	struct str project = project_name(app);
	const struct fs *fs = &app->fs;
	int rc;

	if (app->options->spec.list.n > 0 ||
	    fs->stat(fs->ctx, "specs", true, &info) == 0) {
		strbuf_adds(out, "is there specs\n");
		return;
	}
	rc = fs->mkdir(fs->ctx, "specs", 0755);
	strbuf_addf(&text, sample, project.data);
	if (rc == 0)
		rc = write_new(app, "specs/pods.yaml", 0644,
		    strbuf_str(&text));
	strbuf_release(&text);
	told(app, out, "", rc, "specs/pods.yaml");
}

/* .podform has an ignore file of its own; this one is for people to see. */
static void
make_ignore(struct app *app, struct strbuf *out)
{
	struct str text = {0};
	const struct fs *fs = &app->fs;
	int rc = fs_read_file(fs, &app->arena, ".gitignore", 1 << 20, true,
	    &text);
	int fd;

	if (rc == 0 && str_search(text, STR(".podform")) >= 0) {
		strbuf_adds(out, "is there .gitignore\n");
		return;
	}
	if (rc == -ENOENT) {
		rc = write_new(app, ".gitignore", 0644, STR(".podform/\n"));
		told(app, out, "", rc, ".gitignore");
		return;
	}
	fd = rc < 0 ? rc : fs->open(fs->ctx, ".gitignore", FS_APPEND |
	    FS_FOLLOW, 0);
	if (fd >= 0) {
		bool ends = text.len == 0 || text.data[text.len - 1] == '\n';
		rc = fs_write_all(fs, fd, ends ? STR(".podform/\n") :
		    STR("\n.podform/\n"));
		fs->close(fs->ctx, fd);
	} else {
		rc = fd;
	}
	told(app, out, " (one line)", rc, ".gitignore");
}

static int
make_lock(struct app *app, struct strbuf *out)
{
	struct session session;
	int code = app_open_writer(app, &session, NULL, "init");

	if (code == EXIT_OK && session.lock->exists) {
		strbuf_addf(out, "is there " STR_FMT "\n",
		    STR_ARG(session.config.lock_path));
	} else if (code == EXIT_OK) {
		code = session_commit(&session, STR("init"), (struct str){0},
		    STR("made the lock file"), EXIT_OK);
		if (code == EXIT_OK)
			strbuf_addf(out, "made     " STR_FMT ", lineage "
			    "%.8s\n", STR_ARG(session.config.lock_path),
			    session.lock->lineage.hex);
	}
	session_close(&session);
	return code;
}

/* With a key at hand it is tried; without one, init says what is missing. */
static int
try_key(struct app *app, struct strbuf *out)
{
	struct cloud_request request = { .op = CLOUD_GET_ACCOUNT };
	struct cloud_answer answer = {0};
	struct session session;

	if (!secret_is_set(&app->key)) {
		strbuf_adds(out, "missing  an API key: set RUNPOD_API_KEY, or "
		    "RUNPOD_API_KEY_FILE\n");
		return EXIT_OK;
	}
	int code = app_new_session(app, &session, NULL, "init");
	if (code == EXIT_OK)
		code = session_ask(&session, &request, &answer);
	if (code != EXIT_OK)
		return code;
	strbuf_addf(out, "works    the API key from ");
	strbuf_add_escaped(out, app->key_origin);
	strbuf_addc(out, '\n');
	return EXIT_OK;
}

int
cmd_init(struct app *app)
{
	struct strbuf out = {0};
	int code = app_connect(app, false);

	if (code != EXIT_OK)
		return code;
	make_spec(app, &out);
	make_ignore(app, &out);
	code = make_lock(app, &out);
	if (code == EXIT_OK)
		code = try_key(app, &out);
	if (code == EXIT_OK && app->diags.errors == 0)
		strbuf_adds(&out, "\nNext: podform plan\n");
	if (app->options->quiet)
		strbuf_release(&out);
	app_tell(app, &out);
	return code != EXIT_OK ? code : app->diags.errors > 0 ? EXIT_ERROR :
	    EXIT_OK;
}
