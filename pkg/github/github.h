/*
 * github.h - GitHub's runners as a struct github, over its REST API.
 *
 * Pure functions: a github_request becomes one HTTP request, and whatever
 * came back becomes one github_answer.  Nothing here sends, waits, retries or
 * remembers; github_world.h does, for the credential and the limits.
 *
 * "Without effect" is said only of a refusal that GitHub wrote itself (an
 * object with a `message`), and of the rate limits; a gateway's page proves
 * nothing.  A listing with one runner that cannot be read is no listing.
 *
 * Facts: REST API version 2022-11-28, as documented in July 2026.  Repository
 * runners need "Administration: write" of the repository, organization
 * runners "Self-hosted runners: write" of the organization.
 */
#ifndef GITHUB_GITHUB_H
#define GITHUB_GITHUB_H

#include "base/github.h"

extern const struct github github_rest;

#endif
