"""Pictures: finished runs drawn on their source, and single frames to draw lines and zones on."""
