"""What does a network compute on the way, as a graph that can be tested?"""
