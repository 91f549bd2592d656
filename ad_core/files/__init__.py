"""Reading files safely, whatever they hold: tables, pictures, archives."""
