/*
 * load.h - the steps of spec_load(): read, merge, check, expand.
 *
 * Each step goes on over everything there is, so that one run shows every
 * mistake; spec_load() gives up at the end if there was one.
 */
#ifndef SPEC_LOAD_H
#define SPEC_LOAD_H

#include "spec/decode.h"

enum { FILE_MAX = 64 << 20 };	/* bytes of one file */

struct loader {
	struct arena *arena;		/* of the spec */
	struct arena scratch;		/* of loading */
	const struct spec_options *options;
	struct sources *sources;
	struct diags *diags;
	struct decoder decoder;
	struct refs refs;
	struct spec *spec;
	struct str directory;		/* of the file being read */
	struct span settings_at, defaults_at;
	struct pod_spec builtin;	/* what a pod is before it is read */
	struct pod_spec defaults;	/* defaults.pod, as given */
	VEC_OF(struct pod_spec *) pods;
	VEC_OF(struct volume_spec *) volumes;
	VEC_OF(struct runner_spec *) runners;
	VEC_OF(struct tunnel_form *) tunnels;
	VEC_OF(struct secret_form *) secrets;
	/* Name -> the item of the lists above. */
	struct map names[KIND_COUNT], secret_names;
	struct volume_spec *last_volume;	/* that was looked for */
	bool broken;		/* a file could not be read to its end: what
				   is not known may have been there */
	size_t empty_files;
	struct span empty_at;
};

/* files.c: find and read the files of the options, one after another. */
void load_files(struct loader *loader);

/* Read the text of source number `source`. */
void load_text(struct loader *loader, uint32_t source, struct str text);

/* Where a relative path in the spec leads; the same for absolute ones. */
struct str load_path(struct loader *loader, struct str path);

/*
 * Report a file that a spec names and that cannot be what it should be:
 * outside of the spec's directory, no regular file, too large.  A file that
 * is not there is no mistake yet: it may be made before it is needed.
 */
void load_check_file(struct loader *loader, struct str path,
    struct span span, const char *what);
/* And for private keys: readable by others. */
void load_check_key(struct loader *loader, struct str path,
    struct span span);

/* From here on relative paths are those of the file that span is in. */
void load_enter(struct loader *loader, struct span span);
/* Is the resolved path inner inside the resolved directory outer? */
bool path_is_inside(struct str outer, struct str inner);

/* steps.c: what the setup and the process of a pod are, as digests. */
void load_steps(struct loader *loader, struct pod_spec *pod);

/* merge.c: make loader->builtin. */
void load_builtin(struct loader *loader);
/* Put defaults.pod under each pod, and see that nothing is missing then. */
void load_merge(struct loader *loader);

/* The pod of that name, or NULL; does it have that replica (-1: is it one)? */
struct pod_spec *load_find_pod(const struct loader *loader, struct str name);
bool load_has_key(const struct pod_spec *pod, int64_t key);

/* Call fn with each text of a pod that may hold secrets and outputs. */
typedef void text_fn(void *ctx, const struct text *text);
void pod_each_text(const struct pod_spec *pod, text_fn *fn, void *ctx);

/* rings.c: does any text hold an output? */
bool load_any_output(const struct loader *loader);
/* Report pods that need each other. */
void load_check_rings(struct loader *loader);

/* check.c: what no field can know by itself. */
void load_check(struct loader *loader);

/* expand.c: make the resources of the spec, with what they need. */
void load_expand(struct loader *loader);

#endif
