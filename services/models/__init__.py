"""The one door to models' vendors, and how paid calls are kept, for every stage that asks a model."""
