/*
 * import.c - podform import ADDRESS ID: what exists becomes ours.
 *
 * Only the record changes.  Of its environment only what the spec names is
 * recorded, and as the spec has it: what a foreign pod holds there may be
 * secret.  The next plan shows what differs.
 */
#include "app.h"
#include "base/units.h"
#include "commands.h"
#include "record.h"

static const struct resource *
find_wanted(struct app *app, const struct spec *spec, struct str address)
{
	const struct resource *want = spec_find(spec, address);
	struct str *known, near;

	if (want != NULL)
		return want;
	known = ARENA_ARRAY(&app->arena, struct str, spec->nresources + 1);
	for (size_t i = 0; i < spec->nresources; i++)
		known[i] = spec->resources[i].address;
	near = str_nearest(address, known, spec->nresources);
	app_fail(app, 0, "PF0855", "the spec has no '" STR_FMT "'%s" STR_FMT
	    "%s", STR_ARG(address), near.len > 0 ? "; did you mean '" : "",
	    STR_ARG(near), near.len > 0 ? "'?" : "");
	diag_hint(&app->diags, "write it into the spec first: without it the "
	    "next apply would end what was imported");
	return NULL;
}

static void
take_env(struct app *app, const struct pod_spec *spec,
    const struct pod_config *live, struct pod_config *out)
{
	out->env = ARENA_ARRAY(&app->arena, struct env_var, spec->nenv + 1);
	out->nenv = 0;
	for (size_t i = 0; i < spec->nenv; i++)
		for (size_t j = 0; j < live->nenv; j++) {
			const struct spec_env *env = &spec->env[i];
			if (!str_eq(env->name, live->env[j].name))
				continue;
			out->env[out->nenv++] = (struct env_var){
				.name = env->name, .value = env->value.raw,
				.sensitive = text_has(&env->value,
				    PART_SECRET) };
		}
}

static int
take_pod(struct app *app, struct session *session,
    const struct resource *want, const struct cloud_pod *pod,
    struct lock_entry *entry)
{
	struct mark mark;

	if (pod->status == POD_TERMINATED)
		return app_fail(app, EXIT_ERROR, "PF0856", "pod '" STR_FMT
		    "' is terminated", STR_ARG(pod->id));
	/* One that was forgotten becomes what it was: ours, with its mark. */
	if (mark_parse_env(pod->mark, &mark) &&
	    lock_is_released(session->lock, mark.op) &&
	    id128_parse(mark.op, &entry->op)) {
		lock_reclaim(session->lock, mark.op);
	} else if (pod->mark.len > 0) {
		app_fail(app, 0, "PF0856", "pod '" STR_FMT "' carries a mark "
		    "of podform already", STR_ARG(pod->id));
		diag_hint(&app->diags, "if it is of this project, an apply "
		    "takes it in by itself; else ask its project to forget "
		    "it");
		return EXIT_ERROR;
	}
	entry->pod = pod->config;
	take_env(app, want->pod, &pod->config, &entry->pod);
	entry->stopped = pod->status == POD_EXITED;
	entry->created_at = pod->created_at;
	entry->price_per_hour = pod->cost_known ? pod->cost_per_hour : 0;
	return EXIT_OK;
}

static int
ask_and_take(struct app *app, struct session *session,
    const struct resource *want, struct str id, struct lock_entry *entry)
{
	bool pod = want->kind == KIND_POD;
	struct cloud_request request = {
		.op = pod ? CLOUD_GET_POD : CLOUD_GET_VOLUME, .id = id };
	struct cloud_answer answer = {0};
	int code = session_ask(session, &request, &answer);

	if (code != EXIT_OK)
		return code;
	if (pod && answer.npods == 1)
		return take_pod(app, session, want, &answer.pods[0], entry);
	if (!pod && answer.nvolumes == 1) {
		entry->volume = answer.volumes[0];
		return EXIT_OK;
	}
	return app_fail(app, EXIT_ERROR, "PF0856", "there is no %s '" STR_FMT
	    "' on the account", kind_name(want->kind), STR_ARG(id));
}

static int
import(struct app *app, struct session *session, const struct spec *spec)
{
	struct str address = app_operand(app, 0), id = app_operand(app, 1);
	const struct resource *want = find_wanted(app, spec, address);
	struct lock_entry entry = {0}, *known;
	struct strbuf out = {0};
	int code;

	if (want == NULL)
		return EXIT_USAGE;
	if (want->kind != KIND_POD && want->kind != KIND_VOLUME)
		return app_fail(app, EXIT_ERROR, "PF0805", "a %s cannot be "
		    "imported: podform plan makes one of its own", kind_name(want->kind));
	known = lock_find(session->lock, want->address);
	if (known == NULL)
		known = lock_find_id(session->lock, want->kind, id);
	if (known != NULL)
		return app_fail(app, EXIT_ERROR, "PF0851", STR_FMT " is "
		    "recorded already, with id " STR_FMT,
		    STR_ARG(known->address), STR_ARG(known->id));
	entry.kind = want->kind;
	entry.address = want->address;
	entry.id = arena_str(&app->arena, id);
	code = ask_and_take(app, session, want, id, &entry);
	if (code != EXIT_OK)
		return code;
	entry.protect = want->kind == KIND_POD ? want->pod->protect :
	    want->volume->protect;
	lock_add_entry(session->lock, &entry);
	code = session_commit(session, STR("import"), (struct str){0},
	    arena_printf(&app->arena, "imported " STR_FMT " (" STR_FMT ")",
	    STR_ARG(entry.address), STR_ARG(id)), EXIT_OK);
	if (code != EXIT_OK)
		return code;
	strbuf_adds(&out, "Imported: ");
	strbuf_add_escaped(&out, entry.address);
	strbuf_adds(&out, ", id ");
	strbuf_add_escaped(&out, id);
	strbuf_adds(&out, ". podform plan shows what differs from the "
	    "spec.\n");
	app_tell(app, &out);
	return EXIT_OK;
}

int
cmd_import(struct app *app)
{
	const struct spec *spec = app_load_spec(app, false, NULL);
	struct session session;
	int code;

	if (spec == NULL)
		return EXIT_USAGE;
	code = app_connect(app, true);
	if (code != EXIT_OK)
		return code;
	code = app_open_writer(app, &session, spec, "import");
	if (code == EXIT_OK)
		code = import(app, &session, spec);
	session_close(&session);
	return code;
}
