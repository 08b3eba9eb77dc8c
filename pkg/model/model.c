/* model.c - see model.h: set-up. */
#include "model/model.h"

void
model_config_default(struct model_config *config)
{
	*config = (struct model_config){
		.seed = 1,
		.key = "rpa_sim",
		.provision_ms = 400,
		.start_ms = 1200,
		.ports_ms = 200,
		.terminated_ms = 20 * 1000,
		.balance = INT64_C(1000) * 1000000,
		.spend_limit = INT64_C(80) * 1000000,
		.early_running_per_mille = 250,
		.rate_limit = true,
		.quota_minute = 600,
		.quota_hour = 20000,
		.quota_day = 300000,
	};
}
