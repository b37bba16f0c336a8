"""The connector for whoever has only an export: an aging list as a file, mapped into the same model as any ERP."""
