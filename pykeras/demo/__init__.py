"""The main job (`python -m pykeras digits`) and the small drawing kit that it uses."""
