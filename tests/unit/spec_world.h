/*
 * spec_world.h - load a spec from files in memory and read what was said.
 */
#ifndef TESTS_SPEC_WORLD_H
#define TESTS_SPEC_WORLD_H

#include "base/diag.h"
#include "base/strbuf.h"
#include "fake_fs.h"
#include "spec/spec.h"

struct spec_world {
	struct fake_fs *fake;
	struct fs fs;
	struct arena arena;
	struct sources sources;
	struct diags diags;
	struct spec_options options;	/* paths: the directory /p/specs */
	const struct spec *spec;
	struct strbuf heads, whole;
};

/* An empty directory /p/specs; HOME is /home/u, REGION is EUROPE. */
void spec_world_init(struct spec_world *world);
void spec_world_release(struct spec_world *world);

/* Put a file below /p/specs. */
void spec_world_put(struct spec_world *world, const char *name,
    struct str text);

/* Load; NULL if there were errors. */
const struct spec *spec_world_load(struct spec_world *world);

/*
 * The first line of each diagnostic, without the directory:
 * "a.yaml:3:5: error: unknown field ... [PF0103]\n".
 */
const char *spec_world_heads(struct spec_world *world);

/* All that people see, for one that is compared as a whole. */
const char *spec_world_text(struct spec_world *world);

/* Load `text` as the only file, a.yaml, and compare the heads. */
void spec_says(struct str text, const char *heads);
/* The same for fields of a pod `p`, in column 5, that begin on line 7; it has
 * an image and a GPU, and there is a secret KEY. */
void spec_pod_says(const char *fields, const char *heads);

#endif
