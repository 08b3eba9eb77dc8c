/* key.c - see key.h */
#include "key.h"

#include <errno.h>
#include <unistd.h>

#include "spec/yaml.h"

enum { KEY_MAX = 4096, CONFIG_MAX = 65536 };

/* A key goes into a header: one word of visible ASCII. */
static bool
take_key(struct app *app, struct str text, struct str origin,
    struct key_facts *facts)
{
	text = str_trim(text);
	if (text.len == 0) {
		app_fail(app, 0, "PF0820", "the API key in " STR_FMT
		    " is empty", STR_ARG(origin));
		return false;
	}
	if (text.len > KEY_MAX) {
		app_fail(app, 0, "PF0820", "the API key in " STR_FMT
		    " is %zu bytes long; no key is", STR_ARG(origin),
		    text.len);
		return false;
	}
	for (size_t i = 0; i < text.len; i++)
		if (text.data[i] <= ' ' || text.data[i] > '~') {
			app_fail(app, 0, "PF0820", "the API key in " STR_FMT
			    " holds a character that no key has (byte %zu)",
			    STR_ARG(origin), i + 1);
			return false;
		}
	facts->key = secret_new(text);
	facts->origin = origin;
	return true;
}

static bool
read_key_file(struct app *app, struct str path, struct key_facts *facts)
{
	const char *name = arena_cstr(&app->arena, path);
	const struct fs *fs = &app->fs;
	struct fs_info info;
	struct str text = {0};
	int rc = fs->stat(fs->ctx, name, true, &info);

	if (rc == 0 && (info.mode & 077) != 0) {
		app_fail(app, 0, "PF0821", "the key file '%s' is open to other "
		    "users", name);
		diag_hint(&app->diags, "chmod 600 %s", name);
		return false;
	}
	if (rc == 0 && info.uid != geteuid()) {
		app_fail(app, 0, "PF0821", "the key file '%s' belongs to "
		    "another user", name);
		return false;
	}
	if (rc == 0)
		rc = fs_read_file(fs, &app->arena, name, KEY_MAX, true, &text);
	if (rc < 0) {
		diag_errno(&app->diags, "PF0821", NO_SPAN, -rc,
		    "cannot read the key file '%s'", name);
		return false;
	}
	return take_key(app, text, arena_printf(&app->arena, "file %s", name),
	    facts);
}

/* ---------------------------------------------------- user configuration -- */

static struct str
config_path(struct app *app)
{
	struct str base = app_variable("XDG_CONFIG_HOME");

	if (base.len > 0)
		return arena_printf(&app->arena, STR_FMT
		    "/podform/config.yaml", STR_ARG(base));
	base = app_variable("HOME");
	if (base.len == 0)
		return (struct str){0};
	return arena_printf(&app->arena, STR_FMT
	    "/.config/podform/config.yaml", STR_ARG(base));
}

struct config { struct str api_key_file, api_url; };

static bool
config_entry(struct app *app, const struct node *name,
    const struct node *value, struct config *config)
{
	if (value->type == NODE_SCALAR && str_is(name->value, "api_key_file"))
		config->api_key_file = value->value;
	else if (value->type == NODE_SCALAR && str_is(name->value, "api_url"))
		config->api_url = value->value;
	else {
		diag_error(&app->diags, "PF0822", name->span, "unknown "
		    "setting '" STR_FMT "'", STR_ARG(name->value));
		diag_hint(&app->diags, "there are api_key_file and api_url; "
		    "the key itself stays in a file of its own");
		return false;
	}
	return true;
}

static bool
no_setting(struct app *app, const struct node *node)
{
	diag_error(&app->diags, "PF0822", node->span, "settings are written as "
	    "NAME: VALUE");
	return false;
}

static bool
parse_config(struct app *app, uint32_t source, struct str text,
    struct config *config)
{
	struct yaml_reader reader;
	struct node name, value;
	bool ok = yaml_open(&reader, &app->arena, &app->diags, source, text);

	ok = ok && yaml_next(&reader, &name);
	if (ok && name.type != NODE_MAP && name.type != NODE_END)
		ok = no_setting(app, &name);
	while (ok && name.type != NODE_END) {
		ok = yaml_next(&reader, &name);
		if (!ok || name.type == NODE_MAP_END)
			break;
		ok = name.type != NODE_SCALAR ? no_setting(app, &name) :
		    yaml_next(&reader, &value) &&
		    config_entry(app, &name, &value, config);
	}
	yaml_close(&reader);
	return ok && app->diags.errors == 0;
}

static bool
read_config(struct app *app, struct config *config)
{
	struct str path = config_path(app), text;
	int rc;

	if (path.data == NULL)
		return true;
	rc = fs_read_file(&app->fs, &app->arena, path.data, CONFIG_MAX, true,
	    &text);
	if (rc == -ENOENT || rc == -ENOTDIR)
		return true;
	if (rc < 0) {
		diag_errno(&app->diags, "PF0822", NO_SPAN, -rc,
		    "cannot read '" STR_FMT "'", STR_ARG(path));
		return false;
	}
	return parse_config(app, sources_add(&app->sources, path, text), text,
	    config);
}

bool
key_find(struct app *app, struct key_facts *facts)
{
	struct str key = app_variable("RUNPOD_API_KEY");
	struct str file = app_variable("RUNPOD_API_KEY_FILE");
	struct config config = {0};

	*facts = (struct key_facts){0};
	facts->api_url = app_variable("RUNPOD_API_URL");
	facts->api_url_origin = STR("RUNPOD_API_URL");
	if (!read_config(app, &config))
		return false;
	if (facts->api_url.len == 0) {
		facts->api_url = config.api_url;
		facts->api_url_origin = config.api_url.len > 0 ?
		    STR("user configuration") : STR("built in");
	}
	if (key.len > 0)
		return take_key(app, key, STR("RUNPOD_API_KEY"), facts);
	if (file.len > 0)
		return read_key_file(app, file, facts);
	if (config.api_key_file.len > 0)
		return read_key_file(app, config.api_key_file, facts);
	return true;
}
