/* there.c - see there.h */
#include "there.h"

#include "model/catalog.h"

#include <string.h>

/* A listing may be as old as that, and show what others have undone since. */
enum { OLD_MS = 70000 };

static bool
is_key_right(const struct sim *sim, const struct wanted *want,
    struct str value)
{
	struct str key = str_from(sim->spec_secret);

	if (!want->secret)
		return value.data == NULL;
	return value.len == key.len + 4 && str_starts(value, STR("a ")) &&
	    str_ends(value, STR(" b")) &&
	    str_eq(str_sub(value, 2, key.len), key);
}

/* What of it is not as the spec says; NULL: nothing. */
static const char *
what_differs(const struct sim *sim, const struct wanted *want,
    const struct model_pod *pod)
{
	if (!str_is(pod->image, want->image))
		return "its image";
	if (!str_is(model_pod_env(pod, "MODE"), want->mode))
		return "MODE";
	if (!is_key_right(sim, want, model_pod_env(pod, "KEY")))
		return "KEY";
	if (model_pod_env(pod, "ADDED").data != NULL)
		return "what was added to its environment";
	if (pod->gpu == NULL || strstr(want->gpu, pod->gpu->id) == NULL)
		return "its GPU";
	if (pod->disk_gb != 20)
		return "its disk";
	if (pod->nports != 1 || pod->ports[0].inside != 22 ||
	    !pod->ports[0].tcp)
		return "its ports";
	if (want->volume != (pod->volume_id.len > 0))
		return "its volume";
	if (pod->status == MODEL_EXITED)
		return "its state";
	return NULL;
}

static const struct wanted *
find_wanted(const struct wanted *wants, size_t n, const char *address,
    size_t *at)
{
	for (*at = 0; *at < n; ++*at)
		if (strcmp(wants[*at].address, address) == 0)
			return &wants[*at];
	return NULL;
}

void
there_check(struct sim *sim)
{
	unsigned have[64] = {0};
	size_t n, at;
	const struct wanted *wants = check_wants(sim, &n);

	/* What others did to it meanwhile, or shortly before, it need not have
	 * seen; nor what has a status that it has no word for. */
	if (sim->late || sim->other_spec || sim->process != 1 ||
	    sim->restless_ms > sim->begun_ms - OLD_MS ||
	    sim->odd_before != model_fired(sim->model, MODEL_ODD))
		return;
	for (size_t i = 0; i < model_pod_count(sim->model); i++) {
		const struct model_pod *pod = model_pod_at(sim->model, i);
		char address[64];
		if (!model_pod_billed(pod))
			continue;
		check_address(sim, pod, address);
		const struct wanted *want = find_wanted(wants, n, address,
		    &at);
		if (address[0] == '\0')
			continue;
		if (want == NULL) {
			sim_violate(sim, "I18", "exit 0, and " STR_FMT " (%s) "
			    "is there, which nobody wants", STR_ARG(pod->id),
			    address);
			continue;
		}
		have[at]++;
		const char *what = want->stopped ? NULL
		    : what_differs(sim, want, pod);
		if (what != NULL)
			sim_violate(sim, "I18", "exit 0, and " STR_FMT " (%s) "
			    "is not as it is wanted: %s", STR_ARG(pod->id),
			    address, what);
	}
	for (size_t i = 0; i < n; i++)
		if (have[i] > 1 || (have[i] == 0 && !wants[i].stopped))
			sim_violate(sim, "I18", "exit 0, and of %s there are "
			    "%u", wants[i].address, have[i]);
}
