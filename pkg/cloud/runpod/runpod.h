/*
 * runpod.h - RunPod as a struct cloud.
 *
 * Pure functions: a cloud_request becomes one HTTP request, and whatever
 * came back becomes one cloud_answer.  Pods, network volumes and the
 * catalog speak REST v2; the account's balance, which v2 lacks, is asked of
 * GraphQL.  Nothing here sends, waits, retries or remembers.
 *
 * What an answer means follows one table (classify.h): only a refusal that
 * the service itself wrote counts as "without effect"; everything doubtful
 * is UNKNOWN, and a listing with one unusable pod is no listing.
 */
#ifndef CLOUD_RUNPOD_RUNPOD_H
#define CLOUD_RUNPOD_RUNPOD_H

#include "base/cloud.h"

extern const struct cloud runpod;

/*
 * Variables that the service or the image puts into a pod's environment by
 * itself.  They are never part of cloud_pod.config.env, so they are neither
 * compared nor recorded; they come back in cloud_pod.injected instead.
 */
struct runpod_injected {
	const char *name;	/* whole name; or its beginning, if prefix */
	bool prefix;
	bool keep;		/* belongs to the pod for life: an update of
				   env, which replaces the whole map, has to
				   send it again (cloud_request.keep) */
	const char *why;
};
const struct runpod_injected *runpod_injected_env(size_t *n);

/* The row that name falls under, or NULL. */
const struct runpod_injected *runpod_injected_find(struct str name);

#endif
