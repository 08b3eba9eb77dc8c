/*
 * key.h - where the API key comes from, and which service is spoken to.
 *
 * In this order: RUNPOD_API_KEY; the file that RUNPOD_API_KEY_FILE names;
 * the file that `api_key_file` of the user configuration
 * ($XDG_CONFIG_HOME/podform/config.yaml) names.  Key files must be ours and
 * closed to others.  A key is never part of a message.
 */
#ifndef CMD_KEY_H
#define CMD_KEY_H

#include "app.h"

struct key_facts {
	struct secret key;		/* not set: there is none */
	struct str origin;		/* "RUNPOD_API_KEY", "file /x/key" */
	struct str api_url;		/* RUNPOD_API_URL or api_url; absent */
	struct str api_url_origin;
};

/* False with a report for a source that cannot be used. */
bool key_find(struct app *app, struct key_facts *facts);

#endif
