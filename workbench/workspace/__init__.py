"""What a person has uploaded: tables and models in a folder of their own."""
