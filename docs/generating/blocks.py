"""Every generated region by its name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from docs.generating import (
    access,
    api,
    commands,
    errors,
    languages,
    lifecycles,
    models,
    runtimes,
    scoring,
    tasks,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

BLOCKS: Mapping[str, Callable[[], str]] = {
    "actions": access.actions,
    "api-bodies": api.bodies,
    "api-paths": api.api,
    "bpmn-drawn-only": lifecycles.drawn_only,
    "bpmn-elements": lifecycles.elements,
    "bpmn-extensions": lifecycles.extensions,
    "bpmn-refusals": lifecycles.refusals,
    "bpmn-refused-elements": lifecycles.refused_elements,
    "column-fields": models.column_fields,
    "commands": commands.cli,
    "connector-calls": runtimes.connector_calls,
    "connector-settings": runtimes.connector_settings,
    "connectors": runtimes.connectors,
    "datatypes": scoring.datatypes,
    "deployment-states": runtimes.states,
    "digest-fields": models.digest_fields,
    "dmn-limits": languages.dmn_limits,
    "dmn-policies": languages.dmn_policies,
    "dmn-refusals": languages.dmn_refusals,
    "dmn-types": languages.dmn_types,
    "element-templates": tasks.templates,
    "errors": errors.errors,
    "events": access.events,
    "feel-faults": languages.feel_faults,
    "feel-functions": languages.feel_functions,
    "feel-limits": languages.feel_limits,
    "feel-operators": languages.feel_operators,
    "formats": models.formats,
    "framework-problems": errors.framework_problems,
    "isolation": scoring.isolation,
    "log-drops": scoring.drop_reasons,
    "log-limits": scoring.spool_limits,
    "log-states": scoring.log_states,
    "log-tables": scoring.log_tables,
    "manifest-fields": models.manifest_fields,
    "metrics": scoring.metrics,
    "plugins": runtimes.plugins,
    "policies": models.policies,
    "record-problems": errors.record_problems,
    "roles": access.roles,
    "schema-fields": models.schema_fields,
    "scoring-limits": scoring.limits,
    "scoring-refusals": scoring.refusals,
    "settings": access.settings,
    "shipped-decisions": lifecycles.shipped_decisions,
    "shipped-lifecycles": lifecycles.shipped_lifecycles,
    "table-formats": models.tables,
    "task-types": tasks.task_types,
    "violations": errors.violations,
}
