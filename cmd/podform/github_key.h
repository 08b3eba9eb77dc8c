/*
 * github_key.h - where the credential for GitHub comes from, and which
 * GitHub is spoken to.
 *
 * In this order: GITHUB_TOKEN, GH_TOKEN; the file that GITHUB_TOKEN_FILE
 * names; the App PODFORM_GITHUB_APP_ID (client id or app id) with the key in
 * the file that PODFORM_GITHUB_APP_KEY_FILE names.  Files must be ours and
 * closed to others.  GITHUB_SERVER_URL is the address for people, and
 * GITHUB_API_URL that of the API, where the one does not follow from the
 * other.
 *
 * Nothing is read before GitHub is asked for something: a spec without
 * runners needs none of it, and no mistake in it is an error then.
 */
#ifndef CMD_GITHUB_KEY_H
#define CMD_GITHUB_KEY_H

#include "app.h"
#include "github/github_url.h"
#include "github/github_world.h"

/* The addresses; false with words (in the app's arena) for bad ones. */
bool github_key_urls(struct app *app, struct github_urls *urls,
    struct str *why);

/*
 * Read the credential.  origin says where it is from ("GH_TOKEN", "file
 * /x/key", "App 123, key in /x/key.pem"), absent for none; what cannot be
 * used is in credential->why_none.  The caller releases both secrets.
 */
void github_key_find(struct app *app, struct github_credential *credential,
    struct str *origin);

/*
 * Put the behaviour of pkg/github around app->world; the last to touch it,
 * since what the world can do is looked up here.
 */
void github_key_attach(struct app *app);
void github_key_release(struct app *app);

#endif
