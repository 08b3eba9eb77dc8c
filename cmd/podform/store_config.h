/*
 * store_config.h - where the record lives, and with which login.
 *
 * From --lock (or PODFORM_LOCK) and the environment:
 *
 *	https:	PODFORM_STORE_USERNAME and _PASSWORD (or TF_HTTP_USERNAME and
 *		_PASSWORD, which people have), or PODFORM_STORE_TOKEN
 *	s3:	AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN,
 *		AWS_REGION or AWS_DEFAULT_REGION where the URL names none
 *	etcd:	PODFORM_STORE_USERNAME and _PASSWORD
 */
#ifndef CMD_STORE_CONFIG_H
#define CMD_STORE_CONFIG_H

#include "app.h"

struct store_config {
	struct store_place place;
	struct secret login;		/* "name:password", or not set */
	struct secret token;		/* or not set */
};

/* Read both once; false, reported, for an address that is none. */
bool store_config_find(struct app *app, struct store_config *out);
/* The same for an address. */
bool store_config_of(struct app *app, struct str url,
    struct store_config *out);
/* Put them where the world is made from. */
void store_config_connect(struct app *app, const struct store_config *store,
    struct io_config *config);
void store_config_release(struct store_config *store);

#endif
