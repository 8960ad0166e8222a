"""BPMN 2.0: XML to a definition (rejecting what cannot run), and a pure step from rows to rows."""
