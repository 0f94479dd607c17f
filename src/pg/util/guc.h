/*
 * guc.h
 *	  Settings of the extension.
 */
#ifndef DYN_GUC_H
#define DYN_GUC_H

/* dynamo_fdw.remote_ddl: do CREATE, ALTER and DROP act on DynamoDB? */
extern bool dyn_guc_remote_ddl(void);

/* dynamo_fdw.enable_lookup_join: may the planner use lookup joins? */
extern bool dyn_guc_enable_lookup_join(void);

/* dynamo_fdw.log_min_duration: loads that take so many milliseconds are logged; -1: none */
extern int	dyn_guc_log_min_duration(void);

/* dynamo_fdw.allowed_endpoints: hosts that servers of plain users may reach beside AWS's, as patterns */
extern const char *dyn_guc_allowed_endpoints(void);

/* A number that changes with that setting. */
extern unsigned dyn_guc_endpoints_serial(void);

/* Defines the settings; once, when the module is loaded. */
extern void dyn_guc_init(void);

#endif							/* DYN_GUC_H */
