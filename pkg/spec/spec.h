/*
 * spec.h - what the user wants, checked, with the place of every value.
 *
 * spec_load() reads YAML files through the file seam, checks them against
 * the field tables (fields.h) and expands them to resources.  All mistakes
 * of all files are reported; nothing is returned if there was one.  A spec
 * is const once loaded and lives in its arena; its strs borrow the texts
 * registered in sources, which live as long.
 */
#ifndef SPEC_SPEC_H
#define SPEC_SPEC_H

#include "base/arena.h"
#include "base/cloud.h"
#include "base/diag.h"
#include "base/map.h"
#include "base/seams.h"
#include "base/str.h"

enum kind { KIND_POD, KIND_RUNNER, KIND_TUNNEL, KIND_VOLUME, KIND_COUNT };

/* "pod", "runner", "tunnel", "volume": the first part of an address. */
const char *kind_name(enum kind kind);
bool kind_parse(struct str name, enum kind *kind);

/*
 * Text that may hold references.  env and var references are resolved while
 * loading; what is left is a list of parts.  Without references nparts is 0
 * and raw is the value.
 */
enum part_type { PART_TEXT, PART_SECRET, PART_OUTPUT };
struct text_part {
	enum part_type type;
	struct str text;	/* the text; the secret's name; the output's
				   path within its resource: "ssh.host" */
	struct str address;	/* PART_OUTPUT: of the resource */
};
struct text {
	struct str raw;		/* after ${env} and ${var}; secrets and
				   outputs as written */
	struct text_part *parts;
	size_t nparts;
	struct span span;
};
bool text_has(const struct text *text, enum part_type type);

/* Fields of a pod, in the order of the table; bits of pod_spec.set. */
enum pod_field {
	POD_FIELD_IMAGE, POD_FIELD_NAME, POD_FIELD_ARGS, POD_FIELD_GPU,
	POD_FIELD_GPU_COUNT, POD_FIELD_MIN_CUDA, POD_FIELD_CLOUD,
	POD_FIELD_DATA_CENTERS, POD_FIELD_REGIONS, POD_FIELD_MAX_PRICE,
	POD_FIELD_DISK, POD_FIELD_NETWORK_VOLUME, POD_FIELD_PORTS,
	POD_FIELD_ENV, POD_FIELD_REPLICAS, POD_FIELD_STATE, POD_FIELD_SSH,
	POD_FIELD_READY, POD_FIELD_SETUP, POD_FIELD_PROCESS,
	POD_FIELD_ON_FAILURE, POD_FIELD_BACKUP, POD_FIELD_LEASE,
	POD_FIELD_IDLE, POD_FIELD_PROTECT, POD_FIELD_REPLACE,
	POD_FIELD_IGNORE_DRIFT, POD_FIELD_COUNT
};

/* Where the spec gives no ready.timeout. */
enum { READY_TIMEOUT_MS = 10 * 60 * 1000 };

enum pod_state { STATE_RUNNING, STATE_STOPPED };
enum on_failure { ON_FAILURE_STOP, ON_FAILURE_TERMINATE, ON_FAILURE_KEEP };
enum replace_order { REPLACE_DESTROY_FIRST, REPLACE_CREATE_FIRST };

struct spec_env {
	struct str name;
	struct text value;
	struct span span;		/* of the name */
};

struct setup_step {
	bool copy;			/* else run */
	struct text run;
	struct str from, to;
	struct span span;
	struct str path;		/* of a copy: `from` as podform finds
					   it from where it runs */
	bool missing;			/* of a copy: nothing is there */
	struct str digest;		/* "sha256:…" of its text as written (so
					   of secrets only the names) and, of
					   a copy, of what it would copy */
};

struct pod_spec {
	struct str name;		/* key under `pods` */
	struct span span;		/* of that key */
	uint64_t set;			/* bits 1 << enum pod_field: given here
					   or in defaults.pod; the bits above
					   are the loader's own */
	struct span at[POD_FIELD_COUNT];	/* of the values; where none
						   was given, span */
	struct str image;
	struct str name_pattern;	/* absent: the key */
	struct str args;
	struct str *gpu;		/* ids or display names, as written */
	struct span *gpu_at;
	size_t ngpu;
	int64_t gpu_count;
	struct str min_cuda;
	enum cloud_tier tier;
	struct str *data_centers;
	size_t ndata_centers;
	struct str *regions;
	size_t nregions;
	int64_t max_price;		/* micro-dollars; 0 none */
	int64_t disk_gb;
	struct str volume;		/* name under `volumes`; absent none */
	struct str volume_path;
	struct span volume_at;
	struct str *ports;		/* sorted as in pod_config */
	size_t nports;
	struct spec_env *env;		/* sorted by name */
	size_t nenv;
	int64_t replicas;
	enum pod_state state;
	struct str ssh_user, ssh_key;
	struct str ssh_key_path;	/* the key as podform finds it */
	struct span ssh_key_at;
	int64_t ready_timeout_ms;
	struct text *ready_checks;
	size_t nready_checks;
	struct setup_step *setup;
	size_t nsetup;
	struct text process_run;
	struct str process_log;
	struct str process_digest;	/* "sha256:…" of both, as written */
	enum on_failure on_failure;
	struct text backup_check;
	int64_t lease_ms;		/* 0 none */
	int64_t idle_after_ms;
	int64_t idle_gpu_below;
	bool idle_terminate;		/* else stop */
	bool protect;
	enum replace_order replace;
	struct str *ignore_drift;
	size_t nignore_drift;
};

struct volume_spec {
	struct str name;
	struct span span;
	int64_t size_gb;
	struct span size_at;
	struct str data_center;
	struct span data_center_at;
	bool protect;
};

struct runner_spec {
	struct str name;
	struct span span;
	struct str pod;
	struct str repository, organization;
	struct str *labels;
	size_t nlabels;
	bool ephemeral;
	struct str version;
	struct str group;
	int64_t replicas;		/* those of its pod: one runner each */
	struct span pod_at;
};

struct tunnel_spec {
	struct str name;
	struct span span;
	struct str pod;			/* `trainer`, or `trainer[2]` */
	struct str local_address;	/* default 127.0.0.1; or a unix path */
	int64_t local_port;		/* 0: the next free one */
	struct str remote_host;
	int64_t remote_port;
	struct str direction;		/* local | remote | dynamic */
	struct str check;
	struct span pod_at, local_at;
};

struct secret_decl {
	struct str name;
	struct span span;
	enum { SECRET_ENV, SECRET_FILE, SECRET_COMMAND } from;
	struct str source;		/* variable, or path from where podform
					   runs */
	struct str *command;
	size_t ncommand;
};

/*
 * What may be asked for; nothing that is not given forbids anything.  It
 * stands in settings.policy, and in a file of its own for --policy.
 */
struct policy {
	struct span at;			/* of it as a whole */
	int64_t max_price_per_pod;	/* micro-dollars per hour; 0 none */
	int64_t max_price_total;
	struct str *clouds, *data_centers, *regions;
	size_t nclouds, ndata_centers, nregions;
	struct str *images;		/* patterns: `*` is any text */
	size_t nimages;
	bool require_lease, require_protect, deny_public_tunnels;
};

struct settings {
	int64_t budget_per_hour;	/* micro-dollars; 0 none */
	struct span budget_at;
	int64_t parallelism;		/* 0: the default, 10 */
	int64_t max_destroy;		/* -1: none */
	struct policy policy;		/* at.source 0: none is given */
};

/* One thing to have: an instance of a pod, a volume, a runner, a tunnel. */
struct resource {
	enum kind kind;
	struct str address;		/* pod.trainer[2] */
	struct str name;		/* trainer */
	int64_t key;			/* replica, or -1 where there is one */
	struct span span;
	union {
		const struct pod_spec *pod;
		const struct volume_spec *volume;
		const struct runner_spec *runner;
		const struct tunnel_spec *tunnel;
	};
	const struct resource **needs;	/* must be there first */
	size_t nneeds;
};

struct spec {
	struct sources *sources;
	struct str project;
	struct span project_at;
	struct settings settings;
	struct secret_decl *secrets;
	size_t nsecrets;
	struct resource *resources;	/* sorted by kind, name, key */
	size_t nresources;
	size_t nfiles;
	struct map by_address;		/* for spec_find() */
};

struct variable { struct str name, value; };

struct spec_options {
	const struct fs *fs;
	const struct str *paths;	/* files or directories; `-` is stdin;
					   none: the directory `specs` */
	size_t npaths;
	struct str stdin_text;		/* for `-` */
	const struct variable *variables;	/* --var */
	size_t nvariables;
	struct str (*environment)(void *ctx, const char *name);
	void *environment_ctx;
};

/*
 * Load the spec, or NULL when something was reported to diags.  The texts
 * read are added to sources.
 */
const struct spec *spec_load(struct arena *arena,
    const struct spec_options *options, struct sources *sources,
    struct diags *diags);

/* Load a file of rules: the fields of settings.policy and nothing else.  NULL
 * when something was reported; a file without a rule is a mistake. */
const struct policy *spec_load_policy(struct arena *arena,
    const struct spec_options *options, struct str path,
    struct sources *sources, struct diags *diags);

/* Find by address; NULL if there is none. */
const struct resource *spec_find(const struct spec *spec, struct str address);

/*
 * "sha256:<hex>" over the meaning of the spec: values after merging and
 * variables, secrets as references, independent of layout, comments and the
 * order of files.
 */
struct str spec_digest(struct arena *arena, const struct spec *spec);

/*
 * What the spec uses that podform checks but cannot carry out yet.  A plan
 * that needs one of these is refused with its place.  Sorted as resources
 * are; a pod with replicas appears once.
 */
struct later_use {
	enum kind kind;
	struct str name;		/* trainer */
	struct str field;		/* "pods.trainer.setup" */
	struct span span;
	const char *words;		/* "setup steps are not carried out
					   yet" */
};
size_t spec_later(struct arena *arena, const struct spec *spec,
    struct later_use **out);

/* ------------------------------------------------------- addresses ----- */

struct address {
	enum kind kind;
	struct str name;
	int64_t key;			/* -1 none */
};
/* `pod.trainer`, `pod.trainer[2]`. */
bool address_parse(struct str text, struct address *out);
struct str address_format(struct arena *arena, enum kind kind,
    struct str name, int64_t key);

/* ---------------------------------------------------------- secrets ---- */

/*
 * The value of a text, with secrets and outputs filled in by `lookup`,
 * which returns an absent str for what is not known.  False, with
 * *unknown set, when something was not known.
 */
bool text_resolve(struct arena *arena, const struct text *text,
    struct str (*lookup)(void *ctx, const struct text_part *part), void *ctx,
    struct str *out);

#endif
