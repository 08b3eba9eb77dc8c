/*
 * ssh_config.h - Host blocks of OpenSSH's configuration, for `Include`.
 *
 * Some of what is written comes from the service or the spec.  A value that
 * could end its line, or that ssh would take for more than a value, is not
 * written: its block is left out and a comment says so.
 */
#ifndef UI_SSH_CONFIG_H
#define UI_SSH_CONFIG_H

#include "base/arena.h"
#include "base/str.h"
#include "base/strbuf.h"

struct ssh_config_host {
	struct str address;		/* pod.trainer[1] */
	struct str project;		/* absent: no second name */
	struct str host;
	uint16_t port;
	struct str user;
	struct str key;			/* absolute path; absent: none */
	struct str known_hosts;		/* absolute path */
	struct str alias;		/* whose key is in it */
};

/*
 * Append a block: `Host pod.trainer[1] podform-<project>-trainer-1`.  False
 * when a value cannot be written; then a comment is appended.
 */
bool ssh_config_block(struct strbuf *out, const struct ssh_config_host *host);

/* A comment: "# pod.trainer: <why>", on one line whatever is in it. */
void ssh_config_comment(struct strbuf *out, struct str address,
    struct str why);

/* What a command line of ssh may be given: no option, no line end, nothing
 * that it or a shell would take apart. */
bool ssh_config_host_ok(struct str host);
bool ssh_config_user_ok(struct str user);

#endif
