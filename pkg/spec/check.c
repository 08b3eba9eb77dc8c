/* check.c - what no field can know by itself; see load.h */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/units.h"
#include "spec/codes.h"
#include "spec/load.h"

enum { HTTP_MAX = 10 };		/* http ports of one pod: RunPod's limit */

/* The maps of names hold the spans inside of the items; see claim(). */
struct pod_spec *
load_find_pod(const struct loader *loader, struct str name)
{
	char *span = map_get(&loader->names[KIND_POD], name);
	return span == NULL ? NULL : (struct pod_spec *)(void *)
	    (span - offsetof(struct pod_spec, span));
}

static struct volume_spec *
find_volume(struct loader *loader, struct str name)
{
	/* Neighbours mostly share a volume. */
	if (loader->last_volume != NULL &&
	    str_eq(loader->last_volume->name, name))
		return loader->last_volume;
	char *span = map_get(&loader->names[KIND_VOLUME], name);
	loader->last_volume = span == NULL ? NULL :
	    (struct volume_spec *)(void *)
	    (span - offsetof(struct volume_spec, span));
	return loader->last_volume;
}

/* The nearest name of that kind, as a hint. */
static void
hint_name(struct loader *loader, enum kind kind, struct str name)
{
	struct str names[256] = {0};
	size_t n = 0;

	for (size_t i = 0; kind == KIND_POD && i < loader->pods.n &&
	    n < COUNTOF(names); i++)
		names[n++] = loader->pods.items[i]->name;
	for (size_t i = 0; kind == KIND_VOLUME && i < loader->volumes.n &&
	    n < COUNTOF(names); i++)
		names[n++] = loader->volumes.items[i]->name;
	struct str nearest = str_nearest(name, names, n);
	if (nearest.data != NULL)
		diag_hint(loader->diags, "did you mean '" STR_FMT "'?",
		    STR_ARG(nearest));
	else if (n > 0 && n <= 5)
		for (size_t i = 0; i < n; i++)
			diag_hint(loader->diags, "there is '" STR_FMT "'",
			    STR_ARG(names[i]));
}

/* ---------------------------------------------------------------- pods -- */

static void
check_place(struct loader *loader, const struct pod_spec *pod)
{
	const struct volume_spec *volume;

	if (pod->ndata_centers > 0 && pod->nregions > 0) {
		diag_error(loader->diags, E_CONTRADICTION,
		    pod->at[POD_FIELD_REGIONS],
		    "pod '" STR_FMT "' has both 'data_centers' and 'regions'",
		    STR_ARG(pod->name));
		diag_related(loader->diags, pod->at[POD_FIELD_DATA_CENTERS],
		    "the data centers");
	}
	if (pod->volume.data == NULL)
		return;
	volume = find_volume(loader, pod->volume);
	if (volume == NULL) {
		if (loader->broken)
			return;
		diag_error(loader->diags, E_NO_TARGET, pod->volume_at,
		    "no volume '" STR_FMT "' under 'volumes'",
		    STR_ARG(pod->volume));
		hint_name(loader, KIND_VOLUME, pod->volume);
		return;
	}
	if (pod->ndata_centers == 0 || volume->data_center.data == NULL)
		return;
	for (size_t i = 0; i < pod->ndata_centers; i++)
		if (str_eq(pod->data_centers[i], volume->data_center))
			return;
	diag_error(loader->diags, E_CONTRADICTION,
	    pod->at[POD_FIELD_DATA_CENTERS],
	    "pod '" STR_FMT "' cannot be in " STR_FMT ", where its volume '"
	    STR_FMT "' is", STR_ARG(pod->name), STR_ARG(volume->data_center),
	    STR_ARG(volume->name));
	diag_related(loader->diags, volume->data_center_at,
	    "the place of the volume");
	diag_hint(loader->diags, "leave data_centers out: the place of the "
	    "volume decides");
}

static int
by_number(const void *a, const void *b)
{
	int64_t x, y;
	bool http;

	if (!parse_port(*(const struct str *)a, &x, &http) ||
	    !parse_port(*(const struct str *)b, &y, &http))
		return 0;	/* not reached: they were checked */
	if (x != y)
		return x < y ? -1 : 1;
	return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

static bool
needs_ssh(const struct pod_spec *pod)
{
	return pod->nready_checks > 0 || pod->nsetup > 0 ||
	    pod->process_run.raw.data != NULL ||
	    pod->backup_check.raw.data != NULL;
}

static void
require_ssh(struct loader *loader, const struct pod_spec *pod,
    struct span span, const char *who)
{
	for (size_t i = 0; i < pod->nports; i++)
		if (str_is(pod->ports[i], "22/tcp"))
			return;
	diag_error(loader->diags, E_NO_SSH_PORT, span,
	    "%s needs SSH, but 22/tcp is not among the ports of pod '"
	    STR_FMT "'", who, STR_ARG(pod->name));
	diag_related(loader->diags, pod->at[POD_FIELD_PORTS], "the ports");
	diag_hint(loader->diags, "add 22/tcp");
}

static void
check_ports(struct loader *loader, struct pod_spec *pod)
{
	size_t http = 0;

	for (size_t i = 0; i < pod->nports; i++)
		http += str_ends(pod->ports[i], STR("/http"));
	if (http > HTTP_MAX)
		diag_error(loader->diags, E_LIST, pod->at[POD_FIELD_PORTS],
		    "pod '" STR_FMT "' has %zu http ports; RunPod maps at "
		    "most %d", STR_ARG(pod->name), http, HTTP_MAX);
	/* A list from defaults.pod is shared: sorting it again is harmless. */
	if (pod->nports > 1)
		qsort(pod->ports, pod->nports, sizeof *pod->ports, by_number);
	if (needs_ssh(pod))
		require_ssh(loader, pod, pod->at[POD_FIELD_PORTS],
		    "what runs on a pod");
}

static void
check_setup(struct loader *loader, struct pod_spec *pod)
{
	for (size_t i = 0; i < pod->nsetup; i++) {
		struct setup_step *step = &pod->setup[i];
		bool run = step->run.raw.data != NULL;
		step->copy = step->from.data != NULL;
		if (run != step->copy)
			continue;
		diag_error(loader->diags, E_CONTRADICTION, step->span,
		    "a setup step has %s 'run' %s 'copy'",
		    run ? "both" : "neither", run ? "and" : "nor");
	}
}

static void
check_pod(struct loader *loader, struct pod_spec *pod)
{
	check_place(loader, pod);
	check_ports(loader, pod);
	check_setup(loader, pod);
	if (pod->ssh_key.data != NULL) {
		load_enter(loader, pod->ssh_key_at);
		load_check_key(loader, pod->ssh_key, pod->ssh_key_at);
		pod->ssh_key_path = load_path(loader, pod->ssh_key);
	}
	load_steps(loader, pod);
}

/* ------------------------------------------------ what refers to a pod -- */

/*
 * The pod that text names, `trainer` or `trainer[2]`.  NULL once the reason
 * why there is none has been reported.  *key is -1 without a key.
 */
static struct pod_spec *
find_target(struct loader *loader, struct str text, struct span span,
    int64_t *key)
{
	struct str rest;
	struct str name = str_cut(text, '[', &rest);
	struct pod_spec *pod = load_find_pod(loader, name);

	*key = -1;
	if (text.data == NULL || (pod == NULL && loader->broken))
		return NULL;
	if (pod == NULL) {
		diag_error(loader->diags, E_NO_TARGET, span,
		    "no pod '" STR_FMT "' under 'pods'", STR_ARG(name));
		hint_name(loader, KIND_POD, name);
		return NULL;
	}
	if (rest.data != NULL)
		parse_int(str_sub(rest, 0, rest.len - 1), 0, INT32_MAX, key);
	if (*key >= 0 && !load_has_key(pod, *key)) {
		diag_error(loader->diags, E_NO_TARGET, span,
		    "pod '" STR_FMT "' has %lld replica%s; there is no [%lld]",
		    STR_ARG(name), (long long)pod->replicas,
		    pod->replicas == 1 ? "" : "s", (long long)*key);
		if (pod->replicas == 1)
			diag_hint(loader->diags, "the only one has no number: "
			    "pod: " STR_FMT, STR_ARG(name));
		return NULL;
	}
	return pod;
}

bool
load_has_key(const struct pod_spec *pod, int64_t key)
{
	if (key < 0)
		return pod->replicas == 1;
	return pod->replicas > 1 && key < pod->replicas;
}

/* GitHub registers nothing below 2.329.0 any more. */
static void
check_runner_version(struct loader *loader, const struct runner_spec *runner)
{
	struct str rest, patch;
	struct str major = str_cut(runner->version, '.', &rest);
	struct str minor = str_cut(rest, '.', &patch);
	int64_t first, second;

	if (!parse_int(major, 0, 100000, &first) ||
	    !parse_int(minor, 0, 100000, &second) ||
	    first > 2 || (first == 2 && second >= 329))
		return;
	diag_error(loader->diags, E_VALUE, runner->span, "runner '" STR_FMT
	    "' asks for version " STR_FMT ", and GitHub takes none below "
	    "2.329.0", STR_ARG(runner->name), STR_ARG(runner->version));
	diag_hint(loader->diags, "version: latest");
}

static void
check_runner(struct loader *loader, struct runner_spec *runner)
{
	bool both = runner->repository.data != NULL &&
	    runner->organization.data != NULL;
	bool none = runner->repository.data == NULL &&
	    runner->organization.data == NULL;
	int64_t key;

	if (both || none)
		diag_error(loader->diags, both ? E_CONTRADICTION : E_MISSING,
		    runner->span, "runner '" STR_FMT "' needs exactly one of "
		    "'repository' and 'organization'",
		    STR_ARG(runner->name));
	if (runner->group.data != NULL && runner->repository.data != NULL)
		diag_error(loader->diags, E_CONTRADICTION, runner->span,
		    "runner '" STR_FMT "': only an organization has runner "
		    "groups", STR_ARG(runner->name));
	check_runner_version(loader, runner);
	struct pod_spec *pod = find_target(loader, runner->pod,
	    runner->pod_at, &key);
	runner->replicas = 1;
	if (pod == NULL)
		return;
	if (key < 0)
		runner->replicas = pod->replicas;
	require_ssh(loader, pod, runner->pod_at, "a runner");
}

static void
check_tunnel_pod(struct loader *loader, struct tunnel_spec *tunnel)
{
	int64_t key;
	struct pod_spec *pod = find_target(loader, tunnel->pod,
	    tunnel->pod_at, &key);

	if (pod == NULL)
		return;
	if (key < 0 && pod->replicas > 1) {
		diag_error(loader->diags, E_NO_TARGET, tunnel->pod_at,
		    "pod '" STR_FMT "' has %lld replicas: say which one",
		    STR_ARG(pod->name), (long long)pod->replicas);
		diag_hint(loader->diags, "pod: " STR_FMT "[0]",
		    STR_ARG(pod->name));
	} else if (pod->replicas == 0) {
		diag_error(loader->diags, E_NO_TARGET, tunnel->pod_at,
		    "pod '" STR_FMT "' has no replicas", STR_ARG(pod->name));
	}
	require_ssh(loader, pod, tunnel->pod_at, "a tunnel");
}

static void
check_tunnel(struct loader *loader, struct tunnel_form *form)
{
	struct tunnel_spec *tunnel = &form->spec;
	bool dynamic = str_is(tunnel->direction, "dynamic");

	if (form->local.data != NULL)
		parse_local(form->local, &tunnel->local_address,
		    &tunnel->local_port);
	if (form->remote.data != NULL)
		parse_remote(form->remote, &tunnel->remote_host,
		    &tunnel->remote_port);
	if (dynamic && form->remote_at.source != 0) {
		diag_error(loader->diags, E_CONTRADICTION, form->remote_at,
		    "a dynamic tunnel has no 'remote': its user says where "
		    "to go");
	} else if (!dynamic && form->remote_at.source == 0) {
		diag_error(loader->diags, E_MISSING, tunnel->span,
		    "tunnel '" STR_FMT "' has no 'remote'",
		    STR_ARG(tunnel->name));
		diag_hint(loader->diags, "for example: remote: 8188");
	}
	check_tunnel_pod(loader, tunnel);
}

/*
 * Two tunnels cannot listen on one address and port, nor one on all addresses
 * and another on one of them.  What names mean is known only later, but for
 * `localhost`.
 */
struct listeners {
	struct map exact;	/* address and port */
	struct map any;		/* family and port */
	struct map all;		/* family and port, of those on all addresses */
};

static const struct tunnel_spec *
claim_listener(struct listeners *taken, struct arena *scratch,
    struct tunnel_spec *tunnel)
{
	struct str address = tunnel->local_address;
	long long port = (long long)tunnel->local_port;
	bool six = str_find(address, ':') >= 0;
	bool all = str_is(address, "0.0.0.0") || str_is(address, "::");

	if (str_is(address, "localhost"))
		address = STR("127.0.0.1");
	struct tunnel_spec *first = map_put(&taken->exact, scratch,
	    arena_printf(scratch, STR_FMT " %lld", STR_ARG(address), port),
	    tunnel);
	if (first != NULL || address.data[0] == '/')
		return first;
	struct str family = arena_printf(scratch, "%d %lld", six ? 6 : 4,
	    port);
	struct tunnel_spec *other = map_put(&taken->any, scratch, family,
	    tunnel);
	struct tunnel_spec *wide = all
	    ? map_put(&taken->all, scratch, family, tunnel)
	    : map_get(&taken->all, family);
	return all && other != NULL ? other : wide;
}

static void
check_listeners(struct loader *loader)
{
	struct listeners taken = {0};

	for (size_t i = 0; i < loader->tunnels.n; i++) {
		struct tunnel_spec *tunnel = &loader->tunnels.items[i]->spec;
		struct str address = tunnel->local_address;
		bool socket = address.len > 0 && address.data[0] == '/';
		if (address.len == 0 || str_is(tunnel->direction,
		    "remote") || (!socket && tunnel->local_port == 0))
			continue;
		const struct tunnel_spec *first = claim_listener(&taken,
		    &loader->scratch, tunnel);
		if (first == NULL)
			continue;
		diag_error(loader->diags, E_PORT_TAKEN, tunnel->local_at,
		    "tunnels '" STR_FMT "' and '" STR_FMT
		    "' have the same local end", STR_ARG(first->name),
		    STR_ARG(tunnel->name));
		diag_related(loader->diags, first->local_at,
		    "taken here by '" STR_FMT "'", STR_ARG(first->name));
	}
}

/* ---------------------------------------------------------- references -- */

static void
check_output(struct loader *loader, const struct ref *ref)
{
	const struct address *address = &ref->address;
	const struct output *output = kind_outputs(address->kind);
	struct str names[16] = {0};
	size_t n = 0;

	for (; output->name != NULL; output++) {
		if (str_is(ref->part->text, output->name))
			break;
		names[n++] = str_from(output->name);
	}
	if (output->name == NULL) {
		struct str nearest = str_nearest(ref->part->text, names, n);
		diag_error(loader->diags, E_REF_UNKNOWN, ref->span,
		    "a %s has no output '" STR_FMT "'",
		    kind_name(address->kind), STR_ARG(ref->part->text));
		if (nearest.data != NULL)
			diag_hint(loader->diags, "did you mean '" STR_FMT
			    "'?", STR_ARG(nearest));
		else
			for (size_t i = 0; i < n; i++)
				diag_hint(loader->diags, "there is '" STR_FMT
				    "'", STR_ARG(names[i]));
	}
	if (map_get(&loader->names[address->kind], address->name) == NULL) {
		if (loader->broken)
			return;
		diag_error(loader->diags, E_REF_UNKNOWN, ref->span,
		    "no %s '" STR_FMT "' in the spec",
		    kind_name(address->kind), STR_ARG(address->name));
		hint_name(loader, address->kind, address->name);
		return;
	}
	if (address->kind != KIND_POD)
		return;
	const struct pod_spec *pod = load_find_pod(loader, address->name);
	assert(pod != NULL);
	if (load_has_key(pod, address->key))
		return;
	diag_error(loader->diags, E_REF_UNKNOWN, ref->span,
	    "there is no " STR_FMT ": pod '" STR_FMT "' has %lld replica%s",
	    STR_ARG(ref->part->address), STR_ARG(pod->name),
	    (long long)pod->replicas, pod->replicas == 1 ? "" : "s");
	if (pod->replicas > 1)
		diag_hint(loader->diags, "say which one: pod." STR_FMT "[0]",
		    STR_ARG(pod->name));
}

static void
check_refs(struct loader *loader)
{
	for (size_t i = 0; i < loader->refs.later.n; i++) {
		const struct ref *ref = &loader->refs.later.items[i];
		if (ref->part->type == PART_OUTPUT) {
			check_output(loader, ref);
			continue;
		}
		if (map_get(&loader->secret_names, ref->part->text) != NULL ||
		    loader->broken)
			continue;
		diag_error(loader->diags, E_REF_UNKNOWN, ref->span,
		    "no secret '" STR_FMT "' under 'secrets'",
		    STR_ARG(ref->part->text));
		diag_hint(loader->diags, "declare it: secrets: { " STR_FMT
		    ": { env: " STR_FMT " } }", STR_ARG(ref->part->text),
		    STR_ARG(ref->part->text));
	}
}

void
load_check(struct loader *loader)
{
	for (size_t i = 0; i < loader->pods.n; i++)
		check_pod(loader, loader->pods.items[i]);
	for (size_t i = 0; i < loader->runners.n; i++)
		check_runner(loader, loader->runners.items[i]);
	for (size_t i = 0; i < loader->tunnels.n; i++)
		check_tunnel(loader, loader->tunnels.items[i]);
	check_listeners(loader);
	check_refs(loader);
	load_check_rings(loader);
}
