// What the tests ask of the parts of Camunda Modeler; esbuild makes one file of it for the page.
import BpmnModeler from "bpmn-js/lib/Modeler";
import { CloudElementTemplatesCoreModule } from "bpmn-js-element-templates/core";
import { validateAllZeebe } from "@bpmn-io/element-templates-validator";
import cloudBehaviors from "camunda-bpmn-js-behaviors/lib/camunda-cloud";
import platformBehaviors from "camunda-bpmn-js-behaviors/lib/camunda-platform";
import camunda from "camunda-bpmn-moddle/resources/camunda.json";
import zeebe from "zeebe-bpmn-moddle/resources/zeebe.json";

const KINDS = {
  cloud: {
    additionalModules: [CloudElementTemplatesCoreModule, cloudBehaviors],
    moddleExtensions: { zeebe },
  },
  platform: { additionalModules: [platformBehaviors], moddleExtensions: { camunda } },
};

let modeler;

async function open(xml, kind) {
  modeler?.destroy();
  document.body.innerHTML = '<div id="canvas"></div>';
  modeler = new BpmnModeler({ container: "#canvas", ...KINDS[kind] });
  const { warnings } = await modeler.importXML(xml);
  modeler.get("canvas").zoom("fit-viewport");
  const drawn = modeler.get("elementRegistry").filter((e) => !e.labelTarget && e.parent);
  return { warnings: warnings.map((w) => w.message), drawn: drawn.map((e) => e.businessObject.id) };
}

async function save() {
  return (await modeler.saveXML({ format: true })).xml;
}

function fit() {
  modeler.get("canvas").resized();
  modeler.get("canvas").zoom("fit-viewport");
}

function box() {
  return modeler.get("canvas").viewbox().inner;
}

// Use a template as a person does who chooses it in the properties panel and fills its fields in.
async function apply(xml, id, template, fields) {
  const { warnings } = await open(xml, "cloud");
  const templates = modeler.get("elementTemplates");
  modeler.get("elementTemplatesLoader").setTemplates([template]);
  const registry = modeler.get("elementRegistry");
  const task = id ? registry.get(id) : modeler.get("canvas").getRootElement();
  const filled = {
    ...template,
    properties: template.properties.map((p) => {
      const name = p.binding.name ?? p.binding.property;
      return name in fields ? { ...p, value: fields[name] } : p;
    }),
  };
  templates.applyTemplate(task, filled);
  return { warnings, xml: await save() };
}

function validate(templates) {
  const { valid, results } = validateAllZeebe(templates);
  const wrong = results.filter((r) => !r.valid);
  return { valid, problems: wrong.map((r) => `${r.object.id}: ${JSON.stringify(r.errors)}`) };
}

window.pilothouse = { open, save, box, fit, apply, validate };
