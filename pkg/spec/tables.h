/*
 * tables.h - what the loader knows beyond spec.h: the shapes in which
 * mappings are read before they become what spec.h promises.
 */
#ifndef SPEC_TABLES_H
#define SPEC_TABLES_H

#include "spec/fields.h"

/*
 * Bits of pod_spec.set above enum pod_field: the fields of nested mappings,
 * so that defaults.pod is merged under each of them by itself.
 */
enum pod_leaf {
	LEAF_VOLUME = POD_FIELD_COUNT, LEAF_VOLUME_PATH, LEAF_SSH_USER,
	LEAF_SSH_KEY, LEAF_READY_TIMEOUT, LEAF_READY_CHECKS,
	LEAF_PROCESS_RUN, LEAF_PROCESS_LOG, LEAF_BACKUP_CHECK,
	LEAF_IDLE_AFTER, LEAF_IDLE_GPU, LEAF_IDLE_THEN, LEAF_COUNT
};
_Static_assert(LEAF_COUNT <= 64, "pod_spec.set has 64 bits");

/* One of the three is given. */
struct secret_form {
	struct secret_decl decl;	/* first: see load.c */
	struct str env, file;
	struct span env_at, file_at, command_at;
};

struct tunnel_form {
	struct tunnel_spec spec;	/* first: digest.c goes back to it */
	struct str local, remote;
	struct span remote_at;
};

/* The sections of a file. */
struct file_form {
	struct str project;
	struct span project_at;
	struct settings settings;
	struct span settings_at;
	struct span defaults_at;
};

extern const struct form form_absolute, form_below, form_cuda,
    form_env_name, form_image, form_label, form_local, form_name,
    form_organization, form_pattern, form_place, form_pod_ref, form_port,
    form_remote, form_repository, form_runner_version, form_url, form_user;

/* `8188`, `ADDRESS:8188`, `[::1]:8188`, `/path`, `auto`. */
bool parse_local(struct str text, struct str *address, int64_t *port);
/* `8188`, `HOST:8188`. */
bool parse_remote(struct str text, struct str *host, int64_t *port);
/* `22/tcp`: its number, and whether it is http. */
bool parse_port(struct str text, int64_t *number, bool *http);

#endif
