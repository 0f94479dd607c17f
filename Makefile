EXTENSION = dynamo_fdw
MODULE_big = dynamo_fdw
PGFILEDESC = "dynamo_fdw - Feast's DynamoDB online store as foreign tables"

CORE = address arena aws_keys buf clock crc32 ddb_op ddb_reply endpoint endpoint_rule feast_json_read \
	feast_json_write feast_key feast_time feast_type feast_value_decode feast_value_encode get_request item_scan \
	json_scan json_text key_environment key_files key_plan key_roles keys_reply murmur3 pace partition pbwire \
	profiles registry registry_file registry_find registry_on_demand registry_service registry_source registry_view \
	registry_wire retry s3 sigv4 status sts table_op table_settings tags update_op utf8 whole_item wipe xml_scan
NET = batch_get ddb_call ddb_client ddb_keys descriptor http_engine http_sockets http_transfer key_container \
	key_fetch key_metadata key_source key_steps key_sts loop s3_get surroundings table_job trace warmup write write_answer
PG = dynamo_fdw explain \
	$(addprefix join/,join_explain join_path join_plan join_scan join_stage join_table join_window) \
	$(addprefix read/,ahead lookup plan projection scan size unique unkeyed) \
	$(addprefix write/,change modify modify_plan old_row progress progress_slots progress_view row writer) \
	$(addprefix ddl/,ddl_change ddl_changed ddl_client ddl_difference ddl_door ddl_functions ddl_job ddl_leftover \
		ddl_lock ddl_look ddl_make ddl_moved ddl_note ddl_owed ddl_pin ddl_plan ddl_privilege ddl_record \
		ddl_reference ddl_setting ddl_signer ddl_snapshot \
		ddl_target ddl_triggers ddl_truncate ddl_xact) \
	$(addprefix import/,action apply apply_match apply_table definition exec_sql import_functions import_option import_schema on_demand project_tables \
		registry_bytes registry_source schema_tables service service_function service_install service_sql sql_name view_tags) \
	$(addprefix load/,interval materialize source statement) \
	$(addprefix qual/,qual qual_bind qual_column qual_derive qual_eval qual_join qual_operand qual_tree) \
	$(addprefix convert/,convert_key convert_read convert_write) \
	$(addprefix session/,connection emptied endpoint_policy identity identity_view s3_object stats stays stored unsent wait) \
	$(addprefix table/,column option option_check relation setting type_map) \
	$(addprefix util/,attempt error explain_counts extension guc scratch text)

OBJS = $(CORE:%=src/core/%.o) $(NET:%=src/net/%.o) $(PG:%=src/pg/%.o)

# sql/ holds extension scripts, whose names have "--", and regression tests.
DATA = $(wildcard sql/$(EXTENSION)--*.sql)
REGRESS = setup options columns select keys queries insert update materialize types ddl explain estimates unique import errors
REGRESS_PREP = dynamodb
EXTRA_CLEAN = test/unit/build test/unit/build-* test/fuzz/build

PKG_CONFIG ?= pkg-config
pkg_libs = $(shell $(PKG_CONFIG) --libs $(1) 2>/dev/null || echo $(2))

PG_CPPFLAGS = -Isrc $(shell $(PKG_CONFIG) --cflags libcurl json-c libcrypto 2>/dev/null)
PG_CFLAGS += -fvisibility=hidden -Wall -Wextra -Wno-unused-parameter $(DYN_WERROR)
SHLIB_LINK = -lm $(call pkg_libs,libcurl,-lcurl) $(call pkg_libs,json-c,-ljson-c) \
	$(call pkg_libs,libcrypto,-lcrypto)

PG_CONFIG ?= pg_config
PGXS := $(shell $(PG_CONFIG) --pgxs)
include $(PGXS)

# Headers are few and small: any change compiles everything again.
$(OBJS): $(wildcard src/*/*.h src/pg/*/*.h)

# Without DynamoDB hardly any test passes: the first one, run alone before all, then says so and that is all.
dynamodb:
	@rm -f results/setup.out
	@$(pg_regress_installcheck) setup >/dev/null 2>&1 || ! grep -s '^no DynamoDB answers' results/setup.out >&2

# C unit tests of src/core, without a server; variables: see test/unit/Makefile.
unitcheck:
	$(MAKE) -C test/unit check

# Layers, and what each may use.
purecheck:
	test/check-pure

# How the C source looks; test/check-style --fix formats it.
check-style:
	test/check-style

# Source archive for PGXN, of what is committed.
dist:
	version=$$(sed -n 's/^   "version": "\(.*\)",/\1/p' META.json) && \
	git archive --format=zip --prefix=$(EXTENSION)-$$version/ --output=$(EXTENSION)-$$version.zip HEAD

.PHONY: dynamodb unitcheck purecheck check-style dist
