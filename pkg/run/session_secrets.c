/*
 * session_secrets.c - values that live in memory only.
 */
#include "run/session.h"

#include "base/plant.h"
#include "base/units.h"

enum { SECRET_MAX = 64 * 1024, COMMAND_MS = 30 * SECOND_MS };

/* A file and a command end their one line with a newline that is not meant. */
static struct str
without_newline(struct str value)
{
	if (value.len > 0 && value.data[value.len - 1] == '\n')
		value.len--;
	if (value.len > 0 && value.data[value.len - 1] == '\r')
		value.len--;
	return value;
}

static bool
read_one(struct session *session, const struct secret_decl *decl,
    struct str *value, struct str *why)
{
	const struct world *world = session->config.world;
	struct arena *arena = session->arena;
	int error;
	switch (decl->from) {
	case SECRET_ENV:
		*value = world->environment(world->ctx,
		    arena_cstr(arena, decl->source));
		*why = arena_printf(arena, "the environment variable " STR_FMT
		    " is not set", STR_ARG(decl->source));
		return value->data != NULL;
	case SECRET_FILE:
		error = fs_read_file(&world->fs, arena,
		    arena_cstr(arena, decl->source), SECRET_MAX, true, value);
		*why = arena_printf(arena, "its file " STR_FMT
		    " cannot be read", STR_ARG(decl->source));
		*value = without_newline(*value);
		return error == 0;
	default:
		break;
	}
	const char **argv =
	    ARENA_ARRAY(arena, const char *, decl->ncommand + 1);
	for (size_t i = 0; i < decl->ncommand; i++)
		argv[i] = arena_cstr(arena, decl->command[i]);
	error = world->run_command(world->ctx, arena, argv, COMMAND_MS,
	    SECRET_MAX, value);
	*why = STR("its command failed");
	*value = without_newline(*value);
	return error == 0;
}

int
session_read_secrets(struct session *session, bool required)
{
	const struct spec *spec = session->spec;
	int code = EXIT_OK;
	if (spec == NULL || spec->nsecrets == 0 || session->secrets != NULL)
		return EXIT_OK;
	session->secrets =
	    ARENA_ARRAY(session->arena, struct secret_value, spec->nsecrets);
	for (size_t i = 0; i < spec->nsecrets; i++) {
		const struct secret_decl *decl = &spec->secrets[i];
		struct secret_value *secret =
		    &session->secrets[session->nsecrets++];
		struct str value = {0}, why;
		secret->name = decl->name;
		secret->known = read_one(session, decl, &value, &why);
		if (secret->known) {
			secret->value = secret_new(value);
			continue;
		}
		if (required) {
			diag_error(session->diags, "PF0401", decl->span,
			    "secret '" STR_FMT "' has no value: " STR_FMT,
			    STR_ARG(decl->name), STR_ARG(why));
			code = EXIT_USAGE;
		} else {
			diag_warning(session->diags, "PF0401", decl->span,
			    "secret '" STR_FMT "' has no value: " STR_FMT
			    "; it is taken as unchanged",
			    STR_ARG(decl->name), STR_ARG(why));
		}
	}
	return code;
}

struct str
session_secret(void *ctx, struct str name)
{
	const struct session *session = ctx;
	for (size_t i = 0; i < session->nsecrets; i++)
		if (session->secrets[i].known &&
		    str_eq(session->secrets[i].name, name))
			return secret_reveal(&session->secrets[i].value);
	return (struct str){0};
}

/* Fill `${secret.NAME}` in; `$${` stands for `${`. */
bool
session_resolve(void *ctx, struct arena *arena, struct str reference,
    struct str *value)
{
	struct strbuf out = {0};
	struct str rest = reference;
	bool ok = true;
	while (rest.len > 0 && ok) {
		ptrdiff_t at = str_search(rest, STR("${"));
		if (at == -1) {
			strbuf_add(&out, rest);
			break;
		}
		struct str tail = str_sub(rest, (size_t)at, rest.len);
		if (at > 0 && rest.data[at - 1] == '$') {
			strbuf_add(&out, str_sub(rest, 0, (size_t)at - 1));
			strbuf_adds(&out, "${");
			rest = str_sub(tail, 2, tail.len);
			continue;
		}
		strbuf_add(&out, str_sub(rest, 0, (size_t)at));
		ptrdiff_t end = str_find(tail, '}');
		struct str path = end == -1
		    ? (struct str){0}
		    : str_sub(tail, 2, (size_t)end - 2);
		ok = str_starts(path, STR("secret."));
		if (!ok)
			break;
		struct str secret = session_secret(ctx,
		    str_sub(path, 7, path.len));
		ok = secret.data != NULL;
		strbuf_add(&out, secret);
		rest = str_sub(tail, (size_t)end + 1, tail.len);
	}
	if (ok)
		*value = arena_str(arena, strbuf_str(&out));
	strbuf_release(&out);
	return ok;
}

struct str
session_hide(const struct session *session, struct str text)
{
	struct redactor *redactor;
	struct strbuf out = {0};
	struct str clean;

	if (text.len == 0)
		return text;
	redactor = session_redactor(session);
	redact(redactor, &out, text);
	clean = arena_str(session->arena, strbuf_str(&out));
	strbuf_release(&out);
	redactor_free(redactor);
	return clean;
}

struct redactor *
session_redactor(const struct session *session)
{
	struct redactor *redactor = redactor_new();

	for (size_t i = 0; i < session->nsecrets; i++)
		if (session->secrets[i].known)
			redactor_add(redactor,
			    secret_reveal(&session->secrets[i].value));
	if (!PLANTED(36) && session->config.key != NULL &&
	    secret_is_set(session->config.key))
		redactor_add(redactor, secret_reveal(session->config.key));
	return redactor;
}
