/* github_key.c - see github_key.h */
#include "github_key.h"

#include <string.h>
#include <unistd.h>

#include "io/io_url.h"

enum { TOKEN_MAX = 4096, KEY_MAX = 64 * 1024 };

bool
github_key_urls(struct app *app, struct github_urls *urls, struct str *why)
{
	struct str api = app_variable("GITHUB_API_URL");
	struct str web = app_variable("GITHUB_SERVER_URL");
	struct str base, words;

	if (!github_url_find(&app->arena, api, web, urls)) {
		*why = STR("GITHUB_SERVER_URL or GITHUB_API_URL is no URL");
		return false;
	}
	if (!io_url_github(&app->arena, urls->api, &base, &words)) {
		*why = arena_printf(&app->arena, "GitHub's address '" STR_FMT
		    "' cannot be used: " STR_FMT, STR_ARG(urls->api),
		    STR_ARG(words));
		return false;
	}
	urls->api = base;
	return true;
}

/* A file of ours alone; the reason otherwise. */
static bool
read_file(struct app *app, struct str path, size_t limit, struct str *text,
    struct str *why)
{
	const char *name = arena_cstr(&app->arena, path);
	const struct fs *fs = &app->fs;
	struct fs_info info;
	int rc = fs->stat(fs->ctx, name, true, &info);

	if (rc == 0 && (info.mode & 077) != 0) {
		*why = arena_printf(&app->arena, "'%s' is open to other "
		    "users: chmod 600 %s", name, name);
		return false;
	}
	if (rc == 0 && info.uid != geteuid()) {
		*why = arena_printf(&app->arena, "'%s' belongs to another "
		    "user", name);
		return false;
	}
	if (rc == 0)
		rc = fs_read_file(fs, &app->arena, name, limit, true, text);
	if (rc < 0)
		*why = arena_printf(&app->arena, "cannot read '%s': %s", name,
		    strerror(-rc));
	return rc >= 0;
}

static void
wipe(struct str text)
{
	if (text.data != NULL)
		explicit_bzero((char *)text.data, text.len);
}

/* A token goes into a header: one word of visible ASCII. */
static void
take_token(struct app *app, struct str text, struct str from,
    struct github_credential *out)
{
	text = str_trim(text);
	if (text.len == 0) {
		out->why_none = arena_printf(&app->arena, "the token in "
		    STR_FMT " is empty", STR_ARG(from));
		return;
	}
	for (size_t i = 0; i < text.len; i++)
		if (text.data[i] <= ' ' || text.data[i] > '~') {
			out->why_none = arena_printf(&app->arena, "the token "
			    "in " STR_FMT " holds a character that no token "
			    "has (byte %zu)", STR_ARG(from), i + 1);
			return;
		}
	out->token = secret_new(text);
}

static void
find_app(struct app *app, struct str id, struct github_credential *out,
    struct str *origin)
{
	struct str file = app_variable("PODFORM_GITHUB_APP_KEY_FILE");
	struct str text = {0};

	if (id.len == 0 || file.len == 0) {
		out->why_none = STR("a GitHub App needs both "
		    "PODFORM_GITHUB_APP_ID and PODFORM_GITHUB_APP_KEY_FILE");
		return;
	}
	*origin = arena_printf(&app->arena, "App " STR_FMT ", key in "
	    STR_FMT, STR_ARG(id), STR_ARG(file));
	if (!read_file(app, file, KEY_MAX, &text, &out->why_none))
		return;
	out->app = arena_str(&app->arena, id);
	out->app_key = secret_new(text);
	wipe(text);
}

void
github_key_find(struct app *app, struct github_credential *out,
    struct str *origin)
{
	static const char *const names[] = { "GITHUB_TOKEN", "GH_TOKEN" };
	struct str file = app_variable("GITHUB_TOKEN_FILE");
	struct str id = app_variable("PODFORM_GITHUB_APP_ID");
	struct str text;

	*out = (struct github_credential){0};
	*origin = (struct str){0};
	for (size_t i = 0; i < COUNTOF(names); i++) {
		text = app_variable(names[i]);
		if (text.len == 0)
			continue;
		*origin = str_from(names[i]);
		take_token(app, text, *origin, out);
		return;
	}
	if (file.len > 0) {
		*origin = arena_printf(&app->arena, "file " STR_FMT,
		    STR_ARG(file));
		if (!read_file(app, file, TOKEN_MAX, &text, &out->why_none))
			return;
		take_token(app, text, *origin, out);
		wipe(text);
	} else if (id.len > 0 ||
	    app_variable("PODFORM_GITHUB_APP_KEY_FILE").len > 0)
		find_app(app, id, out, origin);
	else
		out->why_none = STR("there is no credential for GitHub, which "
		    "runners need: set GITHUB_TOKEN, or GITHUB_TOKEN_FILE, "
		    "or PODFORM_GITHUB_APP_ID and "
		    "PODFORM_GITHUB_APP_KEY_FILE");
}

/* By the first request to GitHub. */
static void
on_credential(void *ctx, struct github_credential *out)
{
	struct app *app = ctx;
	struct github_urls urls;
	struct str origin, why;

	if (github_key_urls(app, &urls, &why))
		github_key_find(app, out, &origin);
	else
		*out = (struct github_credential){ .why_none = why };
}

void
github_key_attach(struct app *app)
{
	struct github_urls urls = {0};
	struct str why;

	if (!github_key_urls(app, &urls, &why))
		urls = (struct github_urls){0};
	app->github = github_world_new(&(struct github_world_config){
		.inner = app->world, .api = urls.api,
		.credential = on_credential, .ctx = app,
	});
	app->world = github_world_seam(app->github);
}

void
github_key_release(struct app *app)
{
	github_world_free(app->github);
	app->github = NULL;
}
