/*
 * catalog.h - what the simulated RunPod rents, where, and for how much.
 *
 * The rows are facts of a snapshot (see catalog_data.c); stock, overridden
 * prices and capacity caps belong to a model, not to these tables.
 */
#ifndef MODEL_CATALOG_H
#define MODEL_CATALOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

struct model_gpu {
	const char *id, *name;		/* "NVIDIA A40", "A40" */
	const char *pool;		/* serverless pool or NULL */
	int16_t memory_gb;
	bool secure, community;		/* may be rented there */
	int32_t secure_price, community_price;	/* micro-dollars per GPU-hour;
						   placeholders where the flag
						   is false, as live */
	int16_t max_secure, max_community;
	int16_t vcpu, ram_gb;		/* per GPU */
	int16_t plenty;			/* 0..10: how much there is of it */
	const char *cuda_floor;		/* oldest CUDA its hosts run */
};

struct model_place {
	const char *id, *name, *country, *region;	/* region: "EUROPE" */
	bool launchable;		/* pods can be placed here */
	bool global_network;
	bool standard, high_performance;	/* network volume tiers */
	const char *const *compliance;	/* NULL-terminated, or NULL */
};

struct model_cpu {
	const char *id, *name, *group;
	int16_t min_vcpu, max_vcpu, ram_per_vcpu;
	int32_t price;			/* micro-dollars per vCPU-hour */
	int32_t serverless_price;
	int16_t disk_per_vcpu;
};

extern const struct model_gpu model_gpus[];
extern const size_t model_ngpus;
extern const struct model_place model_places[];
extern const size_t model_nplaces;
extern const struct model_cpu model_cpus[];
extern const size_t model_ncpus;
extern const char *const model_cuda[];	/* oldest first, NULL-terminated */

/* By exact id; NULL if there is none. */
const struct model_gpu *model_gpu_find(struct str id);
const struct model_place *model_place_find(struct str id);
const struct model_cpu *model_cpu_find(struct str id);

/* -1, 0 or 1 for "12.4" against "12.10", compared as numbers. */
int model_cuda_cmp(struct str a, struct str b);
/* The CUDA version of the hosts that have this GPU in that data center. */
const char *model_host_cuda(const struct model_gpu *gpu,
    const struct model_place *place);
/* GPUs of a type that a data center has free when a model starts. */
int64_t model_initial_stock(const struct model_gpu *gpu,
    const struct model_place *place, bool community);

#endif
