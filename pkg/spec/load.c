/* load.c - spec_load(): the sections of a file; see spec.h and load.h */
#include "spec/load.h"

#include <assert.h>

#include "spec/codes.h"

/* The same name again: in this file or another. */
static void
say_twice(struct loader *loader, const char *kind, const struct node *name,
    struct span first)
{
	struct span span = name->span;

	if (first.source == span.source) {
		decode_duplicate(&loader->decoder, name, first);
		return;
	}
	const struct source *other = sources_get(loader->sources,
	    first.source);
	diag_error(loader->diags, E_TWICE, span,
	    "%s '" STR_FMT "' is in two files: here and in " STR_FMT ":%u",
	    kind, STR_ARG(name->value), STR_ARG(other->name), first.line);
	diag_related(loader->diags, first, "first given here");
}

/*
 * Remember item under its name.  False if the name was taken; the item is
 * read all the same, for its mistakes, and then forgotten.
 */
static bool
claim(struct loader *loader, struct map *names, const char *kind,
    const struct node *name, struct span *span)
{
	/* The span of an item tells where its name stands. */
	struct span *first = map_put(names, &loader->scratch, name->value,
	    span);

	*span = name->span;
	if (first == NULL)
		return true;
	map_put(names, &loader->scratch, name->value, first);
	say_twice(loader, kind, name, *first);
	return false;
}

static bool
read_entry(struct loader *loader, const struct field *section,
    const struct node *name, const char *kind, void *base, uint64_t *set)
{
	struct node node;

	if (!yaml_next(loader->decoder.reader, &node))
		return false;
	return decode_mapping(&loader->decoder, &node, &(struct mapping){
	    .fields = section->fields, .base = base, .set = set,
	    .what = kind, .name = name->value, .place = name->span,
	    .required = set == NULL });
}

static bool
read_pod(struct loader *loader, const struct field *section,
    const struct node *name)
{
	struct pod_spec *pod = ARENA_NEW(loader->arena, struct pod_spec);

	*pod = loader->builtin;
	pod->name = name->value;
	if (claim(loader, &loader->names[KIND_POD], "pod", name, &pod->span))
		*ARENA_PUSH(&loader->scratch, &loader->pods) = pod;
	if (!read_entry(loader, section, name, "pod", pod, &pod->set))
		return false;
	for (size_t i = 0; i < POD_FIELD_COUNT; i++)
		if (pod->at[i].source == 0)
			pod->at[i] = pod->span;
	return true;
}

static bool
read_volume(struct loader *loader, const struct field *section,
    const struct node *name)
{
	struct volume_spec *volume = ARENA_NEW(loader->arena,
	    struct volume_spec);

	volume->name = name->value;
	if (claim(loader, &loader->names[KIND_VOLUME], "volume", name,
	    &volume->span))
		*ARENA_PUSH(&loader->scratch, &loader->volumes) = volume;
	return read_entry(loader, section, name, "volume", volume, NULL);
}

static bool
read_runner(struct loader *loader, const struct field *section,
    const struct node *name)
{
	struct runner_spec *runner = ARENA_NEW(loader->arena,
	    struct runner_spec);

	decode_fallbacks(&loader->decoder, section->fields, runner);
	runner->name = name->value;
	bool mine = claim(loader, &loader->names[KIND_RUNNER], "runner", name,
	    &runner->span);
	size_t errors = loader->diags->errors;
	if (mine)
		*ARENA_PUSH(&loader->scratch, &loader->runners) = runner;
	if (!read_entry(loader, section, name, "runner", runner, NULL))
		return false;
	/* What has mistakes of its own is not checked against the rest. */
	if (loader->diags->errors > errors && mine)
		loader->runners.n--;
	return true;
}

static bool
read_tunnel(struct loader *loader, const struct field *section,
    const struct node *name)
{
	struct tunnel_form *tunnel = ARENA_NEW(loader->arena,
	    struct tunnel_form);

	decode_fallbacks(&loader->decoder, section->fields, tunnel);
	tunnel->spec.name = name->value;
	bool mine = claim(loader, &loader->names[KIND_TUNNEL], "tunnel", name,
	    &tunnel->spec.span);
	size_t errors = loader->diags->errors;
	if (mine)
		*ARENA_PUSH(&loader->scratch, &loader->tunnels) = tunnel;
	if (!read_entry(loader, section, name, "tunnel", tunnel, NULL))
		return false;
	/* What has mistakes of its own is not checked against the rest. */
	if (loader->diags->errors > errors && mine)
		loader->tunnels.n--;
	return true;
}

/* Of env, file and command exactly one. */
static void
settle_secret(struct loader *loader, struct secret_form *secret)
{
	struct secret_decl *decl = &secret->decl;
	int given = (secret->env_at.source != 0) +
	    (secret->file_at.source != 0) + (secret->command_at.source != 0);

	if (given != 1) {
		diag_error(loader->diags, given == 0 ? E_MISSING
		    : E_CONTRADICTION, decl->span,
		    "secret '" STR_FMT "' needs exactly one of 'env', 'file' "
		    "and 'command'", STR_ARG(decl->name));
	} else if (secret->env_at.source != 0) {
		decl->from = SECRET_ENV;
		decl->source = secret->env;
	} else if (secret->command_at.source != 0) {
		decl->from = SECRET_COMMAND;
	} else if (secret->file.data != NULL) {
		decl->from = SECRET_FILE;
		decl->source = load_path(loader, secret->file);
		load_check_file(loader, secret->file, secret->file_at,
		    "the file of a secret");
	}
}

static bool
read_secret(struct loader *loader, const struct field *section,
    const struct node *name)
{
	struct secret_form *secret = ARENA_NEW(loader->arena,
	    struct secret_form);

	secret->decl.name = name->value;
	if (claim(loader, &loader->secret_names, "secret", name,
	    &secret->decl.span))
		*ARENA_PUSH(&loader->scratch, &loader->secrets) = secret;
	size_t errors = loader->diags->errors;
	if (!read_entry(loader, section, name, "secret", secret, NULL))
		return false;
	if (loader->diags->errors == errors)
		settle_secret(loader, secret);
	return true;
}

/* An entry of a section, by the table that the section is of. */
static bool
read_section_entry(void *ctx, struct decoder *decoder,
    const struct field *section, const struct node *name)
{
	static const struct {
		const struct field *fields;
		bool (*read)(struct loader *loader,
		    const struct field *section, const struct node *name);
	} readers[] = {
		{ pod_fields, read_pod },
		{ volume_fields, read_volume },
		{ runner_fields, read_runner },
		{ tunnel_fields, read_tunnel },
		{ secret_fields, read_secret },
	};

	(void)decoder;
	for (size_t i = 0; i < COUNTOF(readers); i++)
		if (section->fields == readers[i].fields)
			return readers[i].read(ctx, section, name);
	assert(false && "a section without a reader");
	return false;
}

/* What a spec has once: given in another file too? */
static void
settle_once(struct loader *loader, const char *name, struct span *kept,
    struct span here)
{
	if (here.source == 0)
		return;
	if (kept->source != 0 && kept->source != here.source) {
		const struct source *other = sources_get(loader->sources,
		    kept->source);
		diag_error(loader->diags, E_TWICE, here,
		    "'%s' is given in two files: here and in " STR_FMT ":%u",
		    name, STR_ARG(other->name), kept->line);
		diag_related(loader->diags, *kept, "first given here");
		return;
	}
	*kept = here;
}

static void
settle_file(struct loader *loader, const struct file_form *form)
{
	if (form->project_at.source != 0) {
		settle_once(loader, "project", &loader->spec->project_at,
		    form->project_at);
		loader->spec->project = form->project;
	}
	settle_once(loader, "settings", &loader->settings_at,
	    form->settings_at);
	if (form->settings_at.source != 0)
		loader->spec->settings = form->settings;
	settle_once(loader, "defaults", &loader->defaults_at,
	    form->defaults_at);
}

/* The mapping that a file is, and that nothing follows it. */
static void
read_document(struct loader *loader, uint32_t source)
{
	struct yaml_reader *reader = loader->decoder.reader;
	struct file_form form = { .settings.max_destroy = -1 };
	struct node node;

	if (!yaml_next(reader, &node))
		return;
	bool nothing = node.type == NODE_END || (node.type == NODE_SCALAR &&
	    node.plain && node.value.len == 0 && !node.refused);
	if (nothing) {
		loader->empty_files++;
		loader->empty_at = (struct span){ source, 1, 1, 0, 0 };
		if (node.type == NODE_SCALAR)
			yaml_next(reader, &node);
		return;
	}
	if (!decode_mapping(&loader->decoder, &node, &(struct mapping){
	    .fields = top_fields, .base = &form, .what = "a spec file",
	    .required = false }))
		return;
	settle_file(loader, &form);
	yaml_next(reader, &node);
}

void
load_text(struct loader *loader, uint32_t source, struct str text)
{
	struct yaml_reader reader;

	loader->decoder.reader = &reader;
	loader->spec->nfiles++;
	if (yaml_open(&reader, loader->arena, loader->diags, source, text))
		read_document(loader, source);
	loader->broken |= reader.failed;
	yaml_close(&reader);
	loader->decoder.reader = NULL;
}

/* An empty spec would be an empty fleet: refuse it. */
static void
check_empty(struct loader *loader)
{
	const struct spec *spec = loader->spec;

	if (loader->empty_files == 0)
		return;
	if (loader->empty_files == spec->nfiles) {
		diag_error(loader->diags, E_EMPTY, loader->empty_at,
		    "the spec is empty");
		diag_hint(loader->diags, "an empty spec would mean to have "
		    "nothing; to end everything use podform destroy");
		return;
	}
	diag_warning(loader->diags, W_EMPTY_FILE, loader->empty_at,
	    "this file is empty");
}

static void
check_project(struct loader *loader)
{
	if (loader->spec->project.data != NULL || loader->diags->errors > 0)
		return;
	struct span span = NO_SPAN;
	if (loader->sources->list.n > 0)
		span = (struct span){ (uint32_t)loader->sources->list.n, 1, 1,
			0, 0 };
	diag_error(loader->diags, E_MISSING, span, "the spec has no 'project'");
	diag_hint(loader->diags, "give it a name, once, at the top of a "
	    "file: project: quickstart");
}

static void
start(struct loader *loader, struct arena *arena,
    const struct spec_options *options, struct sources *sources,
    struct diags *diags)
{
	*loader = (struct loader){ .arena = arena, .options = options,
		.sources = sources, .diags = diags };
	loader->spec = ARENA_NEW(arena, struct spec);
	loader->spec->sources = sources;
	loader->spec->settings.max_destroy = -1;
	loader->refs = (struct refs){ .arena = arena,
		.scratch = &loader->scratch, .options = options,
		.sources = sources, .diags = diags };
	loader->decoder = (struct decoder){ .arena = arena,
		.scratch = &loader->scratch, .diags = diags,
		.refs = &loader->refs, .defaults = &loader->defaults,
		.section = read_section_entry, .ctx = loader };
	load_builtin(loader);
}

const struct spec *
spec_load(struct arena *arena, const struct spec_options *options,
    struct sources *sources, struct diags *diags)
{
	struct loader loader;
	size_t errors = diags->errors;

	start(&loader, arena, options, sources, diags);
	load_files(&loader);
	if (diags->errors == errors)
		check_empty(&loader);
	if (diags->errors == errors)
		check_project(&loader);
	load_merge(&loader);
	load_check(&loader);
	if (diags->errors == errors)
		load_expand(&loader);
	refs_release(&loader.refs);
	arena_release(&loader.scratch);
	return diags->errors == errors ? loader.spec : NULL;
}

/* All but the place is empty. */
static bool
lacks_rules(const struct policy *policy)
{
	return policy->max_price_per_pod + policy->max_price_total == 0 &&
	    policy->nclouds + policy->ndata_centers + policy->nregions +
	    policy->nimages == 0 && !policy->require_lease &&
	    !policy->require_protect && !policy->deny_public_tunnels;
}

static void
read_policy(struct loader *loader, uint32_t source, struct str text,
    struct file_form *form)
{
	struct yaml_reader reader;
	struct node node;

	loader->decoder.reader = &reader;
	form->settings.policy.at = (struct span){ source, 1, 1, 0, 0 };
	if (yaml_open(&reader, loader->arena, loader->diags, source, text) &&
	    yaml_next(&reader, &node) && node.type != NODE_END &&
	    decode_mapping(&loader->decoder, &node, &(struct mapping){
	    .fields = policy_fields, .base = form, .what = "a policy" }))
		yaml_next(&reader, &node);
	loader->broken |= reader.failed;
	yaml_close(&reader);
	loader->decoder.reader = NULL;
}

const struct policy *
spec_load_policy(struct arena *arena, const struct spec_options *options,
    struct str path, struct sources *sources, struct diags *diags)
{
	struct file_form *form = ARENA_NEW(arena, struct file_form);
	const struct policy *policy = &form->settings.policy;
	size_t errors = diags->errors;
	struct loader loader;
	struct str text;

	start(&loader, arena, options, sources, diags);
	int result = fs_read_file(options->fs, arena, arena_cstr(arena, path),
	    FILE_MAX, true, &text);
	if (result < 0)
		diag_errno(diags, E_FILE, NO_SPAN, -result,
		    "cannot read the policy '" STR_FMT "'", STR_ARG(path));
	else
		read_policy(&loader, sources_add(sources, path, text), text,
		    form);
	if (diags->errors == errors && lacks_rules(policy)) {
		diag_error(diags, E_EMPTY, policy->at, "the policy has no "
		    "rule, so it would allow everything");
		diag_hint(diags, "podform explain settings.policy shows what "
		    "there is");
	}
	refs_release(&loader.refs);
	arena_release(&loader.scratch);
	return diags->errors == errors ? policy : NULL;
}

const struct resource *
spec_find(const struct spec *spec, struct str address)
{
	return map_get(&spec->by_address, address);
}
