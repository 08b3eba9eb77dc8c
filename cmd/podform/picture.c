/* picture.c - see picture.h */
#include "picture.h"

#include "base/units.h"
#include "record.h"

static void
index_live(struct picture *picture, struct arena *arena)
{
	const struct live *live = &picture->session.live;

	for (size_t i = 0; i < live->npods; i++)
		map_put(&picture->pods, arena, live->pods[i].id,
		    &live->pods[i]);
	for (size_t i = 0; i < live->nvolumes; i++)
		map_put(&picture->volumes, arena, live->volumes[i].id,
		    &live->volumes[i]);
}

int
picture_take(struct picture *picture, struct app *app, const char *operation)
{
	bool refresh = app->options->refresh;
	int code = app_connect(app, refresh);

	*picture = (struct picture){0};
	if (code == EXIT_OK)
		code = app_open_session(app, &picture->session, NULL,
		    operation);
	/* Without GitHub the rest is worth a look, too. */
	picture->session.config.github_optional = true;
	if (code == EXIT_OK && refresh)
		code = session_refresh(&picture->session, true);
	else if (code == EXIT_OK)
		live_from_lock(&app->arena, picture->session.lock,
		    app_wall_ms(app), &picture->session.live);
	if (code == EXIT_OK)
		index_live(picture, &app->arena);
	return code;
}

const struct cloud_pod *
picture_pod(const struct picture *picture, struct str id)
{
	return map_get(&picture->pods, id);
}

const struct cloud_volume *
picture_volume(const struct picture *picture, struct str id)
{
	return map_get(&picture->volumes, id);
}

static struct str
pod_state(const struct cloud_pod *pod, enum paint *paint)
{
	*paint = PAINT_YELLOW;
	switch (pod->status) {
	case POD_PROVISIONING:
		return STR("provisioning");
	case POD_STARTING:
		return STR("starting");
	case POD_RUNNING:
		if (!pod->has_runtime)
			return STR("starting");
		*paint = PAINT_GREEN;
		return STR("running");
	case POD_EXITED:
		*paint = PAINT_CYAN;
		return STR("stopped");
	case POD_ERROR:
		*paint = PAINT_RED;
		return STR("error");
	case POD_TERMINATED:
		*paint = PAINT_RED;
		return STR("gone");
	case POD_UNKNOWN:
		break;
	}
	return pod->status_text.len > 0 ? pod->status_text : STR("unknown");
}

const struct github_runner *
picture_runner(const struct picture *picture, const struct lock_entry *entry,
    const struct live_scope **scope)
{
	const struct live *live = &picture->session.live;
	struct github_scope own = { entry->runner.repository,
		entry->runner.organization };
	int64_t id;

	*scope = NULL;
	for (size_t i = 0; i < live->nscopes; i++)
		if (github_scope_eq(&live->scopes[i].scope, &own))
			*scope = &live->scopes[i];
	if (*scope == NULL || !(*scope)->known ||
	    !parse_int(entry->id, 1, INT64_MAX, &id))
		return NULL;
	for (size_t i = 0; i < (*scope)->nrunners; i++)
		if ((*scope)->runners[i].id == id)
			return &(*scope)->runners[i];
	return NULL;
}

static struct str
runner_state(const struct picture *picture, const struct lock_entry *entry,
    enum paint *paint)
{
	const struct live_scope *scope;
	const struct github_runner *runner = picture_runner(picture, entry,
	    &scope);

	*paint = PAINT_YELLOW;
	if (scope == NULL || !scope->known)
		return STR("unknown");
	if (runner != NULL && runner->busy)
		return STR("busy");
	*paint = runner != NULL && runner->online ? PAINT_GREEN : PAINT_RED;
	return runner == NULL ? STR("gone") : runner->online ? STR("online")
							     : STR("offline");
}

struct str
picture_state(const struct picture *picture, const struct lock_entry *entry,
    enum paint *paint)
{
	const struct cloud_pod *pod;

	*paint = PAINT_NONE;
	if (picture->session.live.from_lock)
		return record_state(entry);
	if (entry->kind == KIND_RUNNER)
		return runner_state(picture, entry, paint);
	if (entry->kind == KIND_VOLUME && picture_volume(picture,
	    entry->id) != NULL)
		return STR("there");
	pod = picture_pod(picture, entry->id);
	if (pod != NULL)
		return pod_state(pod, paint);
	*paint = PAINT_RED;
	return STR("gone");
}
